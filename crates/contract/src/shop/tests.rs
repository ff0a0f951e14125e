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

#[test]
fn every_spelling_of_a_number_is_one_number() {
    let read = |code: &str, said: Option<Symbol>| match Gtin::read(code, said) {
        Reading::Product(gtin) => gtin.to_string(),
        Reading::Other => "other".to_owned(),
        Reading::Either { upc_e, gtin_8 } => format!("{upc_e} or {gtin_8}"),
        Reading::Inner(_) => "inner".to_owned(),
        Reading::Wrong(_) => "wrong".to_owned(),
    };
    let (upc, ean) = (Some(Symbol::Upc), Some(Symbol::Ean));
    for (code, said, right) in [
        ("071142008582", None, "00071142008582"),
        ("0071142008582", None, "00071142008582"),
        ("00071142008582", ean, "00071142008582"),
        // A UPC-E that is no GTIN-8, one that is both, and the same with somebody who knows.
        ("07811102", None, "00078000001112"),
        ("01234565", None, "00012345000065 or 00000001234565"),
        ("01234565", upc, "00012345000065"),
        ("01234565", ean, "00000001234565"),
        ("012345000065", None, "00012345000065"),
        // Other number systems have no UPC-E, whatever is said.
        ("90162909", None, "00000090162909"),
        ("90162909", upc, "00000090162909"),
        ("96385074", ean, "00000096385074"),
        // The three ways in which zeros are left out, and number system 1.
        ("01234531", None, "00012300000451"),
        ("01234543", None, "00012340000053"),
        ("01234589", upc, "00012345000089"),
        ("11234562", upc, "00112345000062"),
        // Inside of a shop, weights, coupons.
        ("2012345000001", None, "inner"),
        ("2000000000015", None, "inner"),
        ("0200000000011", None, "inner"),
        ("200000000011", None, "inner"),
        ("20000004", ean, "inner"),
        ("9900000000011", None, "inner"),
        ("071142008583", None, "wrong"),
        ("0711420085", None, "other"),
        ("07114200858a", None, "other"),
        ("\u{662}1142008582", None, "other"),
    ] {
        assert_eq!(read(code, said), right, "{code} said to be {said:?}");
    }
    for (name, said) in
        [("UPC", upc), ("UPC_E", upc), ("upc-a", upc), ("EAN-13", ean), ("EAN8", ean), ("GTIN", ean), ("QR", None)]
    {
        assert_eq!(Symbol::named(name), said, "{name}");
    }
}

#[test]
fn a_product_stands_in_the_catalogue_once() {
    let mut draft = small();
    let double = ProductDraft {
        sku: "0071142008582".to_owned(),
        gtin: Some("0071142008582".to_owned()),
        line: Some(5),
        ..draft.products[0].clone()
    };
    draft.products.push(double);
    draft.shelves[0].facings[0].sku = Some("00071142008582".to_owned());
    let said = |draft: ShopDraft| Shop::check(draft).unwrap_err().iter().map(Problem::to_string).collect::<Vec<_>>();
    assert_eq!(
        said(draft.clone()),
        [
            "line 5: catalogue product 0071142008582: it has the GTIN of product 071142008582 (first on line 3): \
             a product stands in the catalogue once",
            "line 9: shelf 1-1, facing 1: product 00071142008582 is not in the catalogue; \
             `071142008582` has the same GTIN: write it so",
        ]
    );
    draft = small();
    draft.products[0].gtin = Some("01234565".to_owned());
    assert_eq!(
        said(draft.clone()),
        ["line 3: catalogue product 071142008582: `01234565` may be a UPC-E or a GTIN-8: \
          write gtin = \"00012345000065\" for the one, gtin = \"00000001234565\" for the other"]
    );
    assert_eq!(Shop::check_kept(draft.clone()).unwrap().catalogue().products()[0].gtin, None);
    draft.products[0].gtin = Some("2000000000015".to_owned());
    assert!(said(draft.clone())[0].contains("GS1 keeps the prefix 20 to 29"), "{:?}", said(draft));
    let mut inner = small();
    inner.products[0].sku = "2000000000015".to_owned();
    inner.products[0].gtin = Some("2000000000015".to_owned());
    inner.shelves[0].facings[0].sku = Some("2000000000015".to_owned());
    assert_eq!(Shop::check(inner).unwrap().catalogue().products()[0].gtin, None);
}

#[test]
fn names_that_cannot_be_shown_are_problems() {
    let mut draft = small();
    draft.name = "a\u{1b}]0;title\u{7}\nFAKE".to_owned();
    draft.products[0].name = "b\u{9b}31m".to_owned();
    draft.products[0].sku = "x\u{202e}y".to_owned();
    draft.shelves[0].facings[0].sku = Some("x\u{202e}y".to_owned());
    draft.zones = vec![ZoneDraft {
        name: "z".repeat(201),
        kind: ZoneKind::Exit,
        polygon: vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
        line: None,
    }];
    draft.taxes = vec![TaxDraft { name: "t\u{200b}".to_owned(), rate: BasisPoints::new(1), line: None }];
    let text: Vec<String> = Shop::check(draft.clone()).unwrap_err().iter().map(Problem::to_string).collect();
    assert_eq!(
        text,
        [
            "shop: name has control characters (U+0007 and others); leave them out",
            "tax t\u{fffd}: name has invisible characters (U+200B); leave them out",
            "line 3: catalogue product x\u{fffd}y: the sku has invisible characters (U+202E); leave them out",
            "line 3: catalogue product x\u{fffd}y: name has control characters (U+009B); leave them out",
            &format!("zone {}: name has 201 letters; write at most 200", "z".repeat(201)),
        ]
    );
    assert!(Shop::check_kept(draft).is_ok(), "a book of an earlier version is still read");
}

#[test]
fn a_shop_where_nothing_can_be_sold_is_not_in_order() {
    let missing = |change: fn(&mut ShopDraft)| {
        let mut draft = small();
        change(&mut draft);
        let problems = Shop::check(draft).unwrap().check_trade().unwrap_err();
        problems[0].message.clone()
    };
    assert!(Shop::check(small()).unwrap().check_trade().is_ok());
    assert!(missing(|draft| *draft = ShopDraft::default()).contains("no shelves and no products"));
    assert!(missing(|draft| draft.shelves.clear()).contains("no shelves"));
    assert!(missing(|draft| draft.shelves[0].facings[0].sku = None).contains("has its place on a shelf"));
    assert!(
        missing(|draft| {
            draft.products.clear();
            draft.shelves[0].facings.clear();
        })
        .contains("no products")
    );
    let mut draft = small();
    draft.products.push(ProductDraft {
        sku: "071142008583".to_owned(),
        name: "x".to_owned(),
        ..ProductDraft::default()
    });
    assert_eq!(
        Shop::check(draft).unwrap().remarks(),
        [
            "071142008583 stands on no shelf",
            "071142008583 looks like a GTIN with a wrong check digit, and is taken as the shop's own code"
        ]
    );
}

#[test]
fn a_shop_says_where_it_is() {
    let with = |timezone: &str, locale: &str| {
        let draft = ShopDraft { timezone: Some(timezone.to_owned()), locale: Some(locale.to_owned()), ..small() };
        Shop::check(draft)
    };
    let at = ShopTime::from_nanos(1_774_746_000_000_000_000);
    let shown = |timezone: &str| at.zoned(with(timezone, "en").unwrap().zone()).strftime("%H:%M %:z").to_string();
    assert_eq!(shown("Asia/Tokyo"), "10:00 +09:00");
    assert_eq!(shown("Europe/Berlin"), "03:00 +02:00");
    assert_eq!(shown("-03:30"), "21:30 -03:30");
    for wrong in ["Mars/Base", "", "+9", "+09:60", "+15:00", "09:00", "+0a:00", "\u{1b}"] {
        let problems = with(wrong, "en").unwrap_err();
        assert!(problems[0].message.contains("is not known"), "{wrong}: {problems:?}");
    }
    assert!(with("UTC", "xx").unwrap_err()[0].message.contains("locale `xx` is not known"));
    let draft = ShopDraft {
        epcis: Some(EpcisDraft {
            location: Some("123".to_owned()),
            places: Some("x:y".to_owned()),
            products: Some("no".to_owned()),
        }),
        ..small()
    };
    assert_eq!(Shop::check(draft).unwrap_err().len(), 3);
}
