//! Protocol Buffers on the wire: fields of a message, one after the other, without copying.

/// What is wrong with a message, in a few words.
pub(super) type Broken = &'static str;

/// A field of a message: its number and what it holds.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    pub(super) value: Value<'a>,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// A whole number of any type.
    Whole(u64),
    /// Four bytes: a float.
    Four([u8; 4]),
    /// Eight bytes: a double, which nothing here needs.
    Eight,
    /// A text, a message, or numbers one after the other.
    Bytes(&'a [u8]),
}

/// The fields of a message.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) const fn of(message: &'a [u8]) -> Self {
        Fields(message)
    }

    fn whole(&mut self) -> Result<u64, Broken> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or("it breaks off within a number")?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number in it is too long")
    }

    fn bytes(&mut self, count: u64) -> Result<&'a [u8], Broken> {
        let count = usize::try_from(count).ok().filter(|count| *count <= self.0.len());
        let (bytes, rest) = self.0.split_at(count.ok_or("it breaks off, or a length in it is wrong")?);
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or("it breaks off within a number")?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn field(&mut self) -> Result<Field<'a>, Broken> {
        let key = self.whole()?;
        let value = match key & 7 {
            0 => Value::Whole(self.whole()?),
            1 => {
                self.array::<8>()?;
                Value::Eight
            }
            2 => {
                let count = self.whole()?;
                Value::Bytes(self.bytes(count)?)
            }
            5 => Value::Four(self.array()?),
            _ => return Err("a field in it is of no known kind"),
        };
        if key >> 3 == 0 { Err("a field in it has no number") } else { Ok(Field { number: key >> 3, value }) }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| self.field())
    }
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], Broken> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err("a field in it is of another kind than ONNX says"),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a name in it is no text")
    }

    pub(super) fn whole(self) -> Result<i64, Broken> {
        match self {
            Value::Whole(number) => Ok(number.cast_signed()),
            _ => Err("a field in it is of another kind than ONNX says"),
        }
    }

    /// Whole numbers, one or several packed.
    pub(super) fn wholes(self, into: &mut Vec<i64>) -> Result<(), Broken> {
        match self {
            Value::Bytes(packed) => {
                let mut packed = Fields(packed);
                while !packed.0.is_empty() {
                    into.push(packed.whole()?.cast_signed());
                }
            }
            one => into.push(one.whole()?),
        }
        Ok(())
    }

    /// Floats, one or several packed.
    pub(super) fn floats(self, into: &mut Vec<f32>) -> Result<(), Broken> {
        match self {
            Value::Four(bytes) => into.push(f32::from_le_bytes(bytes)),
            Value::Bytes(packed) => {
                into.extend(packed.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            }
            _ => return Err("a field in it is of another kind than ONNX says"),
        }
        Ok(())
    }
}
