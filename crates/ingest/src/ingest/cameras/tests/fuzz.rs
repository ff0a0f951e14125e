//! What a camera answers that nobody meant well: parts of MJPEG, pictures, and words of where it is.

use crate::image::picture_head;
use crate::ingest::attack::target;
use crate::ingest::cameras::find::read_answer;
use crate::ingest::cameras::multipart::{Multipart, PICTURE_BYTES_MAX};

/// A kind of answer, a line end and a stream.
const STREAMS: [&[u8]; 4] = [
    b"multipart/x-mixed-replace; boundary=frame\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 6\r\nX-Timestamp: 1780000000.25\r\n\r\n\xff\xd8\xff1\xff\xd9\r\n--frame\r\ncontent-length:3\r\n\r\ntwo\r\n--frame--\r\n",
    b"multipart/mixed;boundary=\"--frame\"\n\r\n--frame\nContent-Type: image/jpeg\n\none\n--frame\n\ntwo\r\n--frame--\r\n\r\n",
    b"video/x-jpeg\n\xff\xd8\xff1\xff\xd9\xff\xd8\xff22\xff\xd9\r\n\xff\xd8\xff3",
    b"multipart/x-mixed-replace; boundary=b\n--b\r\nContent-Length: 99999999999\r\n\r\nxx--b\r\n\r\n\xff\xd8\xff\xd9",
];

/// Whatever comes, in whatever pieces, the same parts are found, none larger than what came.
fn stream(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (kind, bytes) = (String::from_utf8_lossy(&input[..end]), &input[(end + 1).min(input.len())..]);
    let mut found = [7, bytes.len().max(1)].map(|piece| {
        let (mut multipart, mut parts) = (Multipart::new(&kind), Vec::new());
        for piece in bytes.chunks(piece) {
            multipart.feed(piece);
            while let Some(part) = multipart.next() {
                assert!(part.data.len() <= PICTURE_BYTES_MAX.min(bytes.len()));
                parts.push(part);
            }
        }
        parts
    });
    let [some, others] = &mut found;
    assert_eq!(some, others, "how a stream is cut means nothing");
    // What of them is a picture is read by its head, as every frame is.
    some.iter().for_each(|part| drop(picture_head(&part.data)));
}

const ANSWERS: [&[u8]; 2] = [
    b"<s:Envelope xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\"><d:Scopes>onvif://www.onvif.org/name/Door%20cam onvif://www.onvif.org/hardware/IPC-1</d:Scopes><d:XAddrs>http://0.0.0.0/onvif/device_service http://10.0.0.5:8080/onvif</d:XAddrs></s:Envelope>",
    b"<Envelope><Scopes MatchBy=\"onvif\">onvif://www.onvif.org/name/ onvif.org/hardware/_</Scopes>\n<XAddrs>\n</XAddrs></Envelope>",
];

fn answer(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(camera) = read_answer(&text, [10, 0, 0, 5].into()) {
        assert!(camera.services.iter().all(|service| service.len() <= 2 * input.len() + 16));
    }
}

target!(streams, 3_000, &STREAMS, stream);
target!(answers, 3_000, &ANSWERS, answer);
