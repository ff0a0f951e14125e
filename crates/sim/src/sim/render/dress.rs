//! Dresses a look: what is on skin, hair and cloth, and the body in it.

use glam::Vec3;

use super::anatomy;
use super::cloth;
use super::face;
use super::look::{Bottom, Hair, Look, Top};
use super::mesh::Mesh;
use super::texture::Texture;
use crate::sim::figure::Figure;
use crate::sim::roll::Roll;

impl Look {
    /// The appearance of an actor of a play with this seed.
    pub(in crate::sim) fn of(seed: u64, actor: usize) -> Self {
        let mut roll = Roll::new(seed, &format!("look {actor}"));
        let (mut look, woman) = Look::bare(&mut roll);
        let wardrobe = cloth::wardrobe(&mut roll, &mut look);
        look.painted(&mut roll, woman, wardrobe)
    }

    /// The appearance of an actor in what all wear who dress alike: long sleeves, trousers, shoes and bag of one cloth.
    pub(in crate::sim) fn uniform(seed: u64, actor: usize) -> Self {
        let mut roll = Roll::new(seed, &format!("look {actor}"));
        let (mut look, woman) = Look::bare(&mut roll);
        let mut one = Roll::new(seed, "uniform");
        (look.top, look.bottom) = (Top::LongSleeve, Bottom::Trousers);
        look.shoes = Look::bare(&mut one).0.shoes;
        if look.hair == Hair::Hood {
            look.hair = Hair::Short;
        }
        let wardrobe = cloth::wardrobe(&mut one, &mut look);
        look.painted(&mut roll, woman, wardrobe)
    }

    /// The same in these clothes: of the top, its sleeves and the bottom, and what is carried.
    fn painted(self, roll: &mut Roll, woman: bool, wardrobe: [Texture; 4]) -> Self {
        let mut look = self;
        let face = face::face(roll, &look, woman);
        let [top, sleeve, bottom, carrier] = wardrobe;
        let strands = cloth::strands(roll);
        look.textures = vec![face, Texture::plain(Vec3::ONE), strands, top, sleeve, bottom, carrier];
        look
    }

    /// Textures by paint.
    pub(super) fn textures(&self) -> &[Texture] {
        &self.textures
    }

    /// The body, dressed, as it stands or moves.
    pub(super) fn body(&self, figure: &Figure) -> Mesh {
        let mut mesh = Mesh::default();
        anatomy::body(&mut mesh, figure, self);
        mesh
    }
}
