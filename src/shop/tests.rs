use super::*;
use crate::base::{BasisPoints, CameraId, ShopTime};
use crate::geometry::{self, CameraPose, Lens, Placement, Point};

fn small() -> ShopDraft {
    let plate = |number: u16| PlateDraft {
        id: PlateId::new(1, 1, number),
        left_metres: 0.1 * f64::from(number - 1),
        width_metres: 0.1,
    };
    ShopDraft {
        name: "small".to_owned(),
        products: vec![ProductDraft {
            sku: "071142008582".to_owned(),
            name: "water".to_owned(),
            gtin: Some("071142008582".to_owned()),
            weight_grams: Some(621.7),
            price_minor: Some(150),
            line: Some(3),
            ..ProductDraft::default()
        }],
        shelves: vec![ShelfDraft {
            id: ShelfId::new(1, 1),
            placement: Placement { origin: Point::new(0.0, 0.0, 0.3), turn_radians: 0.0 },
            depth_metres: 0.4,
            clearance_metres: 0.3,
            plates: (1..=3).map(plate).collect(),
            facings: vec![FacingDraft {
                sku: Some("071142008582".to_owned()),
                plates: vec![PlateId::new(1, 1, 1), PlateId::new(1, 1, 2)],
                line: Some(9),
            }],
            line: Some(7),
        }],
        ..ShopDraft::default()
    }
}

#[test]
fn a_sound_draft_becomes_a_shop_that_can_be_written_again() {
    let shop = Shop::check(small()).unwrap();
    let json = serde_json::to_string(shop.draft()).unwrap();
    let again = Shop::check(serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(again.shelves(), shop.shelves());
    assert_eq!(again.catalogue(), shop.catalogue());
    assert_eq!(shop.plate(PlateId::new(1, 1, 2)).unwrap().centre_metres(), 0.15000000000000002);
}

#[test]
fn what_decides_prices_is_recorded_only_where_it_is_there() {
    let plain = serde_json::to_value(small()).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&plain), ["name", "policy", "products", "shelves", "zones"]);
    let policy = keys(&plain["policy"]);
    assert!(!policy.iter().any(|key| key.contains("tax")), "{policy:?}");
    assert_eq!(keys(&plain["products"][0]), ["gtin", "name", "price_minor", "sku", "weight_grams"]);

    let mut draft = small();
    draft.policy.prices_include_tax = false;
    draft.policy.tax_rounding = TaxRounding::Line;
    draft.taxes = vec![TaxDraft { name: "full".to_owned(), rate: BasisPoints::new(1_900), line: None }];
    draft.products[0].tax = Some("full".to_owned());
    draft.products[0].markdown_off = Some(BasisPoints::new(1_000));
    draft.products[0].markdown_from = Some(ShopTime::from_nanos(7));
    draft.promotions = vec![PromotionDraft {
        name: "two for one".to_owned(),
        skus: vec![draft.products[0].sku.clone()],
        buy: Some(2),
        pay: Some(1),
        ..PromotionDraft::default()
    }];
    let shop = Shop::check(draft).unwrap();
    let json = serde_json::to_string(shop.draft()).unwrap();
    assert_eq!(Shop::check(serde_json::from_str(&json).unwrap()).unwrap(), shop);
    let season = shop.catalogue().products()[0].markdown.unwrap().season;
    assert!(season.contains(ShopTime::from_nanos(7)) && !season.contains(ShopTime::from_nanos(6)));
}

#[test]
fn every_problem_is_listed_with_its_line() {
    let mut draft = small();
    draft.products[0].gtin = Some("071142008583".to_owned());
    draft.products[0].weight_grams = Some(-1.0);
    draft.products.push(draft.products[0].clone());
    draft.shelves[0].facings[0].plates.push(PlateId::new(1, 1, 9));
    draft.shelves[0].facings[0].sku = Some("unheard of".to_owned());
    draft.shelves[0].depth_metres = f64::NAN;
    draft.policy.currency = "dollars".to_owned();
    let problems = Shop::check(draft).unwrap_err();
    let text: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(
        text,
        [
            "policy: `dollars` is not an ISO 4217 code: write three capital letters, such as EUR",
            "line 3: catalogue product 071142008582: `071142008583` has check digit 3 where 2 would be right",
            "line 3: catalogue product 071142008582: weight_grams is -1; it must be more than 0 and at most 50000",
            "line 3: catalogue product 071142008582: the sku stands twice in the catalogue (first on line 3)",
            "line 3: catalogue product 071142008582: `071142008583` has check digit 3 where 2 would be right",
            "line 3: catalogue product 071142008582: weight_grams is -1; it must be more than 0 and at most 50000",
            "line 7: shelf 1-1: depth_metres is NaN; it must be more than 0 and at most 3",
            "line 9: shelf 1-1, facing 1: product unheard of is not in the catalogue",
            "line 9: shelf 1-1, facing 1: plate 1-1-9 is not a plate of this shelf",
        ]
    );
}

#[test]
fn gtin_check_digits_follow_gs1() {
    for right in ["071142008582", "90162909", "4006381333931", "10614141000415"] {
        assert!(right.parse::<Gtin>().is_ok(), "{right}");
    }
    for wrong in ["071142008583", "123", "40063813339310", "abcdefgh"] {
        assert!(wrong.parse::<Gtin>().is_err(), "{wrong}");
    }
}

#[test]
fn a_zone_knows_its_inside() {
    let zone = Zone {
        name: "door".to_owned(),
        kind: ZoneKind::Entrance,
        polygon: [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y, 0.0)).to_vec(),
    };
    assert!(zone.contains(Point::new(1.0, 0.5, 0.0)));
    assert!(!zone.contains(Point::new(2.5, 0.5, 0.0)));
}

#[test]
fn frames_of_another_size_show_the_same_view_or_none_that_is_known() {
    let lens =
        Lens { focal_pixels: [500.0, 500.0], centre_pixels: [320.0, 180.0], distortion: [0.1, 0.0, 0.0, 0.0, 0.0] };
    let pose = CameraPose::look_at(Point::new(0.0, 0.0, 2.5), Point::new(1.0, 2.0, 1.0), 0.1);
    let view = geometry::Camera::new(lens, pose);
    let camera = Camera { id: CameraId::new("door"), size_pixels: [640, 360], rate_hertz: 10.0, view };
    for (size, scale) in
        [([640, 360], 1.0), ([320, 180], 2.0), ([1920, 1080], 1.0 / 3.0), ([427, 240], 1.5), ([5120, 2880], 0.125)]
    {
        let map = camera.calibrated_from_frame(size).unwrap();
        assert!((map.scale() - scale).abs() < 0.001, "{size:?}: {}", map.scale());
    }
    for size in [[640, 480], [640, 368], [360, 640], [352, 240], [6400, 3600], [64, 36], [0, 0], [0, 360]] {
        assert!(camera.calibrated_from_frame(size).is_none(), "{size:?}");
    }
    // What is scaled falls where a camera of that size would see it.
    let half = Lens { focal_pixels: [250.0, 250.0], centre_pixels: [160.0, 90.0], ..lens };
    let point = Point::new(1.2, 1.8, 1.1);
    let seen = geometry::Camera::new(half, pose).pixel_from_world(point).unwrap();
    let scaled = camera.calibrated_from_frame([320, 180]).unwrap().apply(seen);
    assert!(scaled.distance(camera.view.pixel_from_world(point).unwrap()) < 1e-9);
}
