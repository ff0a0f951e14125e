//! Dresses a look: what is on skin, hair and cloth, and the body in it.

use glam::Vec3;

use super::anatomy;
use super::cloth;
use super::face;
use super::look::Look;
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
        let face = face::face(&mut roll, &look, woman);
        let [top, sleeve, bottom, carrier] = wardrobe;
        let strands = cloth::strands(&mut roll);
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
