//! The studio: a shop made ready to be photographed, and how a photograph is taken.

use std::collections::HashMap;
use std::f32::consts::TAU;

use glam::{Vec2, Vec3};

use super::artwork::Artwork;
use super::carrier::carrier_mesh;
use super::furniture::{gates, gondolas};
use super::labels::Labels;
use super::lens::{Eye, Vertex, vec3};
use super::light::{Lamps, Lighting, Probe};
use super::look::Look;
use super::materials::{MATERIALS, Material};
use super::mesh::{Face, Mesh, Pose};
use super::package::package_mesh;
use super::raster::{Corner, Ink, Layer, unpack};
use super::room::Room;
use super::sensor::Sensor;
use super::shot::Shot;
use super::style::Style;
use super::texture::{Colour, Texture};
use crate::geometry::PixelBox;
use crate::shop::{Package, Shop};
use crate::sim::figure::{Figure, Moment, Placed};

/// Samples of a pixel: a rotated grid of four.
pub(super) const OFFSETS: [Vec2; 4] =
    [Vec2::new(-0.125, -0.375), Vec2::new(0.375, -0.125), Vec2::new(-0.375, 0.125), Vec2::new(0.125, 0.375)];
/// Corners of the outline of a shadow.
const SHADOW_SIDES: usize = 16;

/// All that does not move in a shop, prepared once.
pub(in crate::sim) struct Studio {
    eyes: Vec<Eye>,
    style: Style,
    lighting: Lighting,
    textures: Vec<Texture>,
    goods: Vec<Good>,
    glass: Mesh,
    /// By camera: the shop without goods.
    bare: Vec<Backdrop>,
    sensor: Sensor,
    /// By camera: how far it is opened.
    gains: Vec<f32>,
}

/// Light on furniture by the bits of place and normal: triangles share their corners, and cameras what they see.
type KnownLight = HashMap<[[u32; 3]; 2], Colour>;

/// A product ready to be drawn.
struct Good {
    mesh: Mesh,
    /// By paint.
    textures: [Texture; 2],
    /// Half its height, and how far it reaches from its middle, metres.
    half_height: f32,
    radius: f32,
    gloss: f32,
}

/// What a camera sees of a shop with goods on its shelves and nobody in it.
#[derive(Clone)]
pub(in crate::sim) struct Backdrop {
    layers: Vec<Layer>,
    labels: Labels,
    /// Units that stand in it, in order.
    units: Vec<usize>,
}

/// Something that moves, in the picture of one camera at one instant.
struct Item<'a> {
    corners: Vec<Corner>,
    faces: Vec<Face>,
    textures: &'a [Texture],
    /// Its number among bodies and things in hands; none for what is not told apart.
    owner: Option<u16>,
}

/// All that moves at one instant.
#[derive(Default)]
struct Scene<'a> {
    shadows: Vec<Item<'a>>,
    items: Vec<Item<'a>>,
    veils: Vec<Item<'a>>,
    bounds: Vec<Option<PixelBox>>,
    /// Goods that move, numbered after the people.
    units: Vec<usize>,
}

impl Studio {
    /// Builds a shop; `packages` are those of the catalogue's products, by index.
    pub(in crate::sim) fn new(shop: &Shop, packages: &[Package], style: Style) -> Self {
        let room = Room::of(shop);
        let panels = room.panels(style.lamp_pitch);
        let (mut mesh, mut glass) = (Mesh::default(), Mesh::default());
        room.build(&mut mesh, shop, &style, &panels);
        let mut blockers = gondolas(&mut mesh, shop, &style);
        blockers.extend(gates(&mut mesh, &mut glass, shop, &style));
        let (low, high) = room.bounds();
        let lighting = Lighting::new(Lamps::of(&style, &panels, low, high), blockers, low, high);
        let products = shop.catalogue().products();
        let goods = products.iter().zip(packages).map(|(product, package)| Good::new(product, package)).collect();
        let mut studio = Studio {
            eyes: shop.cameras().iter().map(Eye::new).collect(),
            lighting,
            textures: MATERIALS.iter().map(|material| material.texture(&style)).collect(),
            goods,
            glass,
            bare: Vec::new(),
            sensor: Sensor::new(style.sensor),
            gains: Vec::new(),
            style,
        };
        let mut known = KnownLight::new();
        studio.bare = studio.eyes.iter().map(|eye| studio.bare_shop(eye, &mesh, &mut known)).collect();
        let gain = |bare: &Backdrop| {
            let colours = bare.layers.first().into_iter().flat_map(Layer::colours);
            studio.sensor.gain_for(colours.step_by(7).map(|packed| unpack(*packed)))
        };
        studio.gains = studio.bare.iter().map(gain).collect();
        studio
    }

    /// What a camera sees of the building and its furniture.
    fn bare_shop(&self, eye: &Eye, mesh: &Mesh, known: &mut KnownLight) -> Backdrop {
        let mut layers: Vec<Layer> = OFFSETS.map(|offset| Layer::new(eye.width, eye.height, offset)).into();
        let mut labels = Labels::new(eye.width, eye.height);
        for face in &mesh.faces {
            let triangle = face.corners.map(|corner| mesh.vertices[corner as usize]);
            let normal = (triangle[1].at - triangle[0].at).cross(triangle[2].at - triangle[0].at);
            if normal.dot(eye.at - triangle[0].at) <= 0.0 {
                continue;
            }
            let material = MATERIALS[usize::from(face.paint)];
            eye.cut(triangle, &mut |cut| {
                let corners = cut.map(|(vertex, corner)| self.lit_fixture(eye, material, (&vertex, corner), known));
                let [a, b, c] = &corners;
                for layer in &mut layers {
                    layer.triangle([a, b, c], &self.textures[usize::from(face.paint)], Ink::Solid);
                }
                labels.triangle([a, b, c], None);
            });
        }
        Backdrop { layers, labels, units: Vec::new() }
    }

    fn lit_fixture(
        &self,
        eye: &Eye,
        material: Material,
        (vertex, corner): (&Vertex, Corner),
        known: &mut KnownLight,
    ) -> Corner {
        if material.glows() {
            return Corner { light: vertex.tint * 1.15, ..corner };
        }
        let key = [vertex.at, vertex.normal].map(|part| part.to_array().map(f32::to_bits));
        let light = *known.entry(key).or_insert_with(|| self.lighting.on(vertex.at, vertex.normal));
        let gloss = material.gloss(&self.style);
        let shine = if 0.0 < gloss { gloss * shine(eye.at, vertex.at, vertex.normal) * light.y } else { 0.0 };
        Corner { light: vertex.tint * light, shine, ..corner }
    }

    /// The background of one camera for goods that rest on shelves; good as long as the shelves stay the same.
    pub(in crate::sim) fn backdrop(&self, camera: usize, resting: &[Placed]) -> Backdrop {
        let mut backdrop = self.bare[camera].clone();
        for placed in resting {
            let probe = |at: Vec3| self.lighting.probe_at(at);
            let Some(item) = self.good(&self.eyes[camera], placed, probe) else { continue };
            for layer in &mut backdrop.layers {
                item.draw(layer, Ink::Solid);
            }
            item.label(&mut backdrop.labels);
        }
        backdrop.units = resting.iter().map(|placed| placed.unit).collect();
        backdrop.units.sort_unstable();
        backdrop
    }

    /// A unit in the picture; `None` outside it.
    fn good(&self, eye: &Eye, placed: &Placed, probe: impl Fn(Vec3) -> Probe) -> Option<Item<'_>> {
        let good = self.goods.get(placed.good)?;
        let pose = Pose::of(&placed.axes);
        let middle = pose.point(0.0, 0.0, good.half_height);
        if !eye.may_see(middle, good.radius) {
            return None;
        }
        let probe = probe(middle);
        let corners = good.mesh.vertices.iter().map(|vertex| {
            let at = pose.point(vertex.at.x, vertex.at.y, vertex.at.z);
            let normal = pose.way(vertex.normal.x, vertex.normal.y, vertex.normal.z);
            let (pixel, nearness) = eye.see(at);
            // The foot of a package stands in the shade of its neighbours.
            let foot = 0.62 + 0.38 * (vertex.at.z / (good.half_height * 1.2)).min(1.0);
            let light = probe.on(normal) * foot;
            let shine = good.gloss * shine(eye.at, at, normal) * light.y;
            Corner { at: pixel, nearness, uv: vertex.uv, light: vertex.tint * light, shine }
        });
        let corners = corners.collect();
        Some(Item { corners, faces: good.mesh.faces.clone(), textures: &good.textures, owner: None })
    }

    /// One frame: the instants of the exposure are averaged; what is told about bodies is of the middle one. `looks`
    /// are by actor.
    pub(in crate::sim) fn shoot(
        &self,
        camera: usize,
        backdrop: &Backdrop,
        exposure: &[Moment],
        looks: &[Look],
        dice_seed: u64,
    ) -> Shot {
        let eye = &self.eyes[camera];
        let nothing = [Moment::default()];
        let exposure = if exposure.is_empty() { &nothing } else { exposure };
        let passes = exposure.len().div_ceil(OFFSETS.len()) * OFFSETS.len();
        let scenes: Vec<Scene> = exposure.iter().map(|moment| self.scene(eye, backdrop, moment, looks)).collect();
        let mut light = vec![Vec3::ZERO; eye.width * eye.height];
        for pass in 0..passes {
            let mut layer = backdrop.layers[pass % OFFSETS.len()].clone();
            // Instants that do not fill the passes are repeated in the middle, so that none but it weighs more.
            scenes[(pass * scenes.len() + scenes.len() / 2) / passes].draw(&mut layer);
            for (sum, packed) in light.iter_mut().zip(layer.colours()) {
                *sum += unpack(*packed);
            }
        }
        light.iter_mut().for_each(|sum| *sum *= 1.0 / passes as f32);
        let picture = self.sensor.develop(&mut light, [eye.width, eye.height], self.gains[camera], dice_seed);
        let middle = &scenes[scenes.len() / 2];
        let mut labels = backdrop.labels.of_owners(middle.bounds.len() + middle.units.len());
        middle.items.iter().for_each(|item| item.label(&mut labels));
        Shot::new(picture, eye.camera, labels, &middle.bounds, &middle.units)
    }

    fn scene<'a>(&'a self, eye: &Eye, backdrop: &Backdrop, moment: &Moment, looks: &'a [Look]) -> Scene<'a> {
        let mut scene = Scene::default();
        for placed in moment.goods.iter().filter(|placed| backdrop.units.binary_search(&placed.unit).is_err()) {
            let Some(good) = self.good(eye, placed, |at| self.lighting.probe(at)) else { continue };
            let owner = Some((moment.people.len() + scene.units.len()) as u16);
            scene.units.push(placed.unit);
            scene.items.push(Item { owner, ..good });
        }
        for (index, figure) in moment.people.iter().enumerate() {
            let Some(look) = looks.get(figure.actor) else {
                scene.bounds.push(None);
                continue;
            };
            scene.shadows.extend(self.shadows(eye, figure));
            let body = self.lit(eye, look.body(figure), look.textures(), figure, Some(index as u16));
            scene.bounds.push(around(&body));
            scene.items.push(body);
            if let Some(carrier) = &figure.carrier {
                let mesh = carrier_mesh(carrier, figure, look);
                scene.items.push(self.lit(eye, mesh, look.textures(), figure, None));
            }
        }
        scene.veils.push(self.veil(eye));
        scene
    }

    /// Something that a person wears or carries, in the light of where that person is.
    fn lit<'a>(&self, eye: &Eye, mesh: Mesh, textures: &'a [Texture], figure: &Figure, owner: Option<u16>) -> Item<'a> {
        let at = vec3(figure.pelvis);
        let levels = [0.25, 0.9, 1.6].map(|z| self.lighting.probe(at.with_z(z)));
        let corners = mesh.vertices.iter().map(|vertex| {
            let place = ((vertex.at.z - 0.25) / 0.675).clamp(0.0, 1.999);
            let (below, share) = (place as usize, place.fract());
            let light = levels[below].on(vertex.normal).lerp(levels[below + 1].on(vertex.normal), share);
            let (pixel, nearness) = eye.see(vertex.at);
            Corner { at: pixel, nearness, uv: vertex.uv, light: vertex.tint * light, shine: 0.0 }
        });
        Item { corners: corners.collect(), faces: mesh.faces, textures, owner }
    }

    /// The soft shadows of a body and of its feet on the floor.
    fn shadows(&self, eye: &Eye, figure: &Figure) -> Vec<Item<'_>> {
        let mut spots = vec![(vec3(figure.pelvis).lerp(vec3(figure.chest.origin), 0.4), Vec2::splat(0.52), 0.58)];
        for foot in &figure.feet {
            let (toe, heel) = (vec3(foot.toe), vec3(foot.heel));
            let raised = toe.z.min(heel.z).max(0.0);
            spots.push(((toe + heel) * 0.5, Vec2::new(0.2, 0.14), 0.45 + raised * 3.0));
        }
        let spot = |(at, size, keep): (Vec3, Vec2, f32)| {
            let mut mesh = Mesh::default();
            let corner =
                |mesh: &mut Mesh, at: Vec3, keep: f32| mesh.corner(at, Vec3::Z, Vec2::ZERO, Vec3::splat(keep.min(1.0)));
            let middle = corner(&mut mesh, at.with_z(0.0), keep);
            for share in [0.5, 1.0] {
                for side in 0..SHADOW_SIDES {
                    let way = Vec2::from_angle(side as f32 / SHADOW_SIDES as f32 * TAU) * size * share;
                    let fade = if share < 1.0 { keep + (1.0 - keep) * 0.45 } else { 1.0 };
                    corner(&mut mesh, (at.truncate() + way).extend(0.0), fade);
                }
            }
            let sides = SHADOW_SIDES as u32;
            for side in 0..sides {
                let (a, b) = (1 + side, 1 + (side + 1) % sides);
                let (c, d) = (a + sides, b + sides);
                let faces = [[middle, a, b], [a, c, d], [a, d, b]];
                mesh.faces.extend(faces.map(|corners| Face { corners, paint: Material::White.paint() }));
            }
            let corners = mesh.vertices.iter().map(|vertex| eye.corner(vertex)).collect();
            Item { corners, faces: mesh.faces, textures: &self.textures, owner: None }
        };
        spots.into_iter().map(spot).collect()
    }

    /// The flaps of the gates.
    fn veil(&self, eye: &Eye) -> Item<'_> {
        let corner = |vertex: &Vertex| {
            let light = self.lighting.probe(vertex.at).on(vertex.normal);
            let shine = Material::Glass.gloss(&self.style) * light.y;
            Corner { light: vertex.tint * light, shine, ..eye.corner(vertex) }
        };
        let corners = self.glass.vertices.iter().map(corner).collect();
        Item { corners, faces: self.glass.faces.clone(), textures: &self.textures, owner: None }
    }
}

impl Good {
    fn new(product: &crate::shop::Product, package: &Package) -> Self {
        use crate::shop::PackageShape;
        let artwork = Artwork::of(product, package);
        let mesh = package_mesh(package, &artwork);
        let [width, depth, height] = package.size_metres.map(|side| side as f32);
        let gloss = match package.shape {
            PackageShape::Box => 0.015,
            PackageShape::Bottle => 0.16,
            PackageShape::Can => 0.14,
            PackageShape::Bag => 0.09,
        };
        let radius = Vec3::new(width, depth, height).length() / 2.0;
        let textures = [artwork.skin, Texture::plain(Vec3::ONE)];
        Good { mesh, textures, half_height: height / 2.0, radius, gloss }
    }
}

impl Item<'_> {
    fn draw(&self, layer: &mut Layer, ink: Ink) {
        for face in &self.faces {
            let corners = face.corners.map(|corner| &self.corners[corner as usize]);
            layer.triangle(corners, &self.textures[usize::from(face.paint)], ink);
        }
    }

    fn label(&self, labels: &mut Labels) {
        for face in &self.faces {
            labels.triangle(face.corners.map(|corner| &self.corners[corner as usize]), self.owner);
        }
    }
}

impl Scene<'_> {
    fn draw(&self, layer: &mut Layer) {
        for (items, ink) in [(&self.shadows, Ink::Shadow), (&self.items, Ink::Solid), (&self.veils, Ink::Veil(0.22))] {
            items.iter().for_each(|item| item.draw(layer, ink));
        }
    }
}

/// The box around everything of an item that the lens sees.
fn around(item: &Item) -> Option<PixelBox> {
    let seen = item.corners.iter().filter(|corner| 0.0 < corner.nearness);
    let (low, high) = seen.fold((Vec2::splat(f32::INFINITY), Vec2::splat(f32::NEG_INFINITY)), |(low, high), corner| {
        (low.min(corner.at), high.max(corner.at))
    });
    let [left, top, right, bottom] = [low.x, low.y, high.x, high.y].map(f64::from);
    Some(PixelBox { left, top, right, bottom }).filter(PixelBox::is_well_formed)
}

/// How much of the bright ceiling a smooth surface mirrors to the eye.
fn shine(eye: Vec3, at: Vec3, normal: Vec3) -> f32 {
    let view = (at - eye).normalize_or(Vec3::NEG_Z);
    let mirrored = view.reflect(normal);
    let facing = (1.0 + view.dot(normal)).clamp(0.0, 1.0);
    // Schlick's approximation of Fresnel's law, 1994.
    let grazing = 0.25 + 0.75 * facing.powi(3);
    let up = ((mirrored.z - 0.35) / 0.6).clamp(0.0, 1.0);
    up * up * (3.0 - 2.0 * up) * grazing * 2.0
}
