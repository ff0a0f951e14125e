//! Facts over MQTT.
