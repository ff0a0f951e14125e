use std::fs;
use std::path::Path;

use super::{load_manifests, load_shop, load_trade};
use crate::base::{BasisPoints, Money, PlateId, ShelfId, SkuId};
use crate::geometry::Point;
use crate::shop::{Deal, PackageShape, Reduction, Shop};
use crate::vision::Decoder;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The lines of the error without the folder.
fn complaints(files: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(files);
    let error = load_shop(folder.path()).unwrap_err();
    assert_eq!(error.exit_status(), 3);
    let folder = format!("{}/", folder.path().display());
    error.message().lines().skip(1).map(|line| line.trim().replace(&folder, "")).collect()
}

const SHOP: &str = "name = \"x\"\n[[gondola]]\nplate_count = 4\n[[gondola.shelf]]\nheight_metres = 0.3\n";

#[test]
fn the_example_loads() {
    let shop = load_shop(&Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/demo")).unwrap();
    assert_eq!((shop.name(), shop.shelves().len(), shop.zones().len()), ("Demo shop", 3, 2));
    assert_eq!(shop.policy().currency.code(), "EUR");
    let shelf = shop.shelf(ShelfId::new(1, 1)).unwrap();
    assert_eq!((shelf.plates.len(), shelf.clearance_metres), (8, 0.28));
    assert!((shop.shelf(ShelfId::new(1, 2)).unwrap().clearance_metres - 0.32).abs() < 1e-9);
    assert_eq!(shop.plate(PlateId::new(1, 3, 3)).unwrap().left_metres, 0.45);
    assert_eq!(shelf.facing_of(PlateId::new(1, 1, 8)).unwrap().sku, None);
    let water = shop.catalogue().get(&SkuId::new("2000000000015")).unwrap();
    assert_eq!(water.price.unwrap().minor, 89);
    assert_eq!(shop.catalogue().get(&SkuId::new("2000000000022")).unwrap().gtin, None, "inside of a shop only");
    assert_eq!(water.gtin.unwrap().to_string(), "09521234543213");
    let rates: Vec<String> = shop.taxes().iter().map(|tax| format!("{} {}", tax.name, tax.rate)).collect();
    assert_eq!(rates, ["full 19 %", "reduced 7 %"]);
    let deals: Vec<Deal> = shop.promotions().iter().map(|promotion| promotion.deal).collect();
    assert_eq!(deals, [Deal::Fewer { buy: 3, pay: 2 }, Deal::Off(BasisPoints::new(1_250))]);
    let chocolate = shop.catalogue().get(&SkuId::new("2000000000039")).unwrap();
    let markdown = chocolate.markdown.unwrap();
    assert_eq!(markdown.reduction, Reduction::To(Money::new(179, shop.policy().currency)));
    assert_eq!(markdown.season.from.unwrap().to_string(), "2026-03-28T05:00:00.000Z");
    assert_eq!((chocolate.tax.as_deref(), water.tax.as_deref()), (Some("reduced"), Some("full")));
    let package = water.package.unwrap();
    assert_eq!((package.shape, package.size_metres), (PackageShape::Bottle, [0.065, 0.065, 0.21]));
    let room = shop.room().unwrap();
    assert_eq!((room.polygon.len(), room.height_metres), (4, 2.7));
    let [ceiling, side] = shop.cameras() else { panic!("{:?}", shop.cameras()) };
    assert_eq!((ceiling.id.as_str(), ceiling.size_pixels, ceiling.rate_hertz), ("ceiling", [640, 360], 15.0));
    let seen = ceiling.view.pixel_from_world(Point::new(0.4, 0.1, 0.6)).unwrap();
    assert!((seen.x - 318.2).abs() < 1e-6 && (seen.y - 181.6).abs() < 1e-6, "{seen:?}");
    assert_eq!((side.rate_hertz, side.view.lens().centre_pixels), (10.0, [320.0, 180.0]));
    assert_eq!((side.view.pose().rotation, side.view.lens().distortion), ([1.3, -1.1, 0.9], [0.0; 5]));
}

#[test]
fn every_problem_of_prices_is_listed_with_its_line() {
    let shop = "[policy]\nprices_include_tax = \"yes\"\ntax_rounding = \"unit\"\n[[tax]]\nname = \"a\"\npercent = 7.125\n\
                [[tax]]\npercent = 101\nname = \"b\"\n[[promotion]]\nname = \"p\"\nskus = [1]\nfrom = 2026-12-01\n\
                [[promotion]]\nname = \"q\"\nskus = []\nbuy = -1\n\
                [[gondola]]\nplate_count = 1\n[[gondola.shelf]]\nheight_metres = 0.3\n";
    let found = complaints(&[("shop.toml", shop)]);
    let expected = [
        "shop.toml:2: policy: prices_include_tax is a text; it must be true or false",
        "shop.toml:1: policy: tax_rounding is `unit`; it must be line or receipt",
        "shop.toml:4: tax a: percent must be a percentage with at most 2 decimals, such as 19 or \"7.75\"",
        "shop.toml:10: promotion p: skus must be a list of texts in quotes",
        "shop.toml:10: promotion p: from must be an instant with its offset, such as \"2026-12-01T00:00:00+01:00\"",
        "shop.toml:14: promotion q: buy is -1; it must be a number of units",
        "shop.toml:7: tax b: the rate is 101 %; it must be at most 100 %",
        "shop.toml:14: promotion q: it has no skus",
        "shop.toml:14: promotion q: it must have either buy and pay, or percent",
    ];
    assert_eq!(found, expected, "\n{}", found.join("\n"));

    let shop = "[[tax]]\nname = \"a\"\npercent = 7\n[[tax]]\nname = \"a\"\npercent = 7\n\
                [[promotion]]\nname = \" \"\nskus = [\"x\", \"x\", \"none\"]\nbuy = 2\npay = 2\n\
                [[promotion]]\nname = \"p\"\nskus = [\"x\"]\npercent = 0\nbuy = 2\n\
                [[promotion]]\nname = \"q\"\nskus = [\"x\"]\npercent = 0\nfrom = 2026-12-01T00:00:00Z\nuntil = \"2026-12-01T00:00:00Z\"\n";
    let catalogue = "[[product]]\nsku = \"x\"\nprice = 1\nmarkdown_price = \"1.01\"\ntax = \"c\"\n\
                     [[product]]\nsku = \"y\"\nmarkdown_percent = 10\n[[product]]\nsku = \"z\"\nprice = 1\n\
                     markdown_from = \"2026-12-01T00:00:00Z\"\n[[product]]\nsku = \"w\"\nprice = 1\nmarkdown_price_minor = 1\n\
                     markdown_percent = 100.01\n";
    let found = complaints(&[("shop.toml", shop), ("catalogue.toml", catalogue)]);
    let expected = [
        "shop.toml:4: tax a: a tax of this name stands twice",
        "catalogue.toml:1: catalogue product x: tax `c` is not a [[tax]] of the shop",
        "catalogue.toml:1: catalogue product x: the reduced price must not be negative or above the price",
        "catalogue.toml:6: catalogue product y: it has a markdown and no price",
        "catalogue.toml:9: catalogue product z: markdown_from and markdown_until stand without a markdown_price or markdown_percent",
        "catalogue.toml:13: catalogue product w: a reduced price and markdown_percent both stand here; write one",
        "shop.toml:7: promotion  : the name is empty",
        "shop.toml:7: promotion  : product x stands twice",
        "shop.toml:7: promotion  : product none is not in the catalogue",
        "shop.toml:7: promotion  : buy 2, pay 2; pay must be at least 1 and less than buy, which is at most 1000",
        "shop.toml:12: promotion p: it must have either buy and pay, or percent",
        "shop.toml:17: promotion q: until is not after from",
        "shop.toml:17: promotion q: percent is 0 %; it must be more than 0 % and at most 100 %",
    ];
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

#[test]
fn a_file_alone_json_and_the_recorded_form_load_too() {
    let demo = load_shop(&Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/demo")).unwrap();
    let recorded = serde_json::to_string(demo.draft()).unwrap();
    let json = r#"{"gondola":[{"plate_count":2,"shelf":[{"height_metres":0.3,"facings":[{"sku":"a","plates":"1-2"}]}]}],
                   "product":[{"sku":"a","price":1.10}]}"#;
    let folder = folder(&[("recorded.json", &recorded), ("small.json", json), ("alone.toml", SHOP)]);
    let load = |name: &str| load_shop(&folder.path().join(name)).unwrap();
    let recorded = load("recorded.json");
    assert_eq!((recorded.shelves(), recorded.catalogue()), (demo.shelves(), demo.catalogue()));
    assert_eq!((recorded.room(), recorded.cameras()), (demo.room(), demo.cameras()));
    let small = load("small.json");
    assert_eq!((small.name(), small.catalogue().products()[0].price.unwrap().minor), ("small", 110));
    assert_eq!(load("alone.toml").shelves()[0].plates.len(), 4);
}

#[test]
fn every_problem_of_every_file_is_listed_with_its_line() {
    let shop = "name = 5\ncolour = \"red\"\n[policy]\ncurrency = \"euro\"\nabsence_secs = 3\n[[gondola]]\nplate_count = 4\n\
                depth_metres = \"deep\"\n[[gondola.shelf]]\nclearance_metres = -1\n[[zone]]\nname = \"z\"\nkind = \"door\"\n\
                polygon = [[0, 0], [1]]\n";
    let catalogue = "[[product]]\nsku = \"4006381333930\"\ngtin = \"4006381333930\"\nweight_grams = 0\n[[product]]\n\
                     name = \"nameless\"\nprice = \"1.999\"\nprise = 1\n";
    let planogram = "[[shelf]]\nid = \"1-1\"\nfacings = [\n  { sku = \"none\", plates = \"3-5\" },\n  { plates = \"x\" },\n]\n\
                     [[shelf]]\nid = \"7-7\"\n[[shelf]]\nid = \"seven\"\n";
    let found = complaints(&[("shop.toml", shop), ("catalogue.toml", catalogue), ("planogram.toml", planogram)]);
    let expected = [
        "shop.toml:1: shop: name is a whole number; it must be a text in quotes",
        "shop.toml:5: policy: unknown key `absence_secs`; did you mean `absence_secs_max`?",
        "shop.toml:8: gondola 1: depth_metres is a text in quotes; it must be a number",
        "shop.toml:9: shelf 1-1: height_metres is missing",
        "shop.toml:11: zone z: kind is `door`; it must be entrance, exit or closed",
        "shop.toml:11: zone z: polygon must be a list of corners [x, y] in metres",
        "shop.toml:2: shop: unknown key `colour`; the keys here are name, timezone, locale, epcis, policy, gondola, zone, tax, promotion, product, room, camera, payment",
        "catalogue.toml:5: catalogue product 2: sku is missing",
        "catalogue.toml:5: catalogue product 2: price must be an amount of USD with at most 2 decimals, such as \"1.49\"",
        "catalogue.toml:8: catalogue product 2: unknown key `prise`; the keys here are sku, name, gtin, weight_grams, package, price_minor, price, tax, markdown_price_minor, markdown_price, markdown_percent, markdown_from, markdown_until",
        "planogram.toml:5: shelf 1-1, facing 2: plates must be a number, a rising range such as \"1-3\" of at most 64 plates, or a list of numbers",
        "planogram.toml:9: planogram shelf 3: `seven` is not a shelf: write gondola-shelf, such as 1-5",
        "planogram.toml:7: shelf 7-7: the shop has no shelf of this name",
        "shop.toml: policy: `euro` is not an ISO 4217 code: write three capital letters, such as EUR",
        "catalogue.toml:1: catalogue product 4006381333930: `4006381333930` has check digit 0 where 1 would be right",
        "catalogue.toml:1: catalogue product 4006381333930: weight_grams is 0; it must be more than 0 and at most 50000",
        "shop.toml:9: shelf 1-1: clearance_metres is -1; it must be more than 0 and at most 3",
    ];
    let expected: Vec<String> = expected
        .iter()
        .map(|line| line.replace("a text in quotes; it must be a number", "a text; it must be a number"))
        .collect();
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

#[test]
fn syntax_errors_stop_only_their_own_file() {
    let planogram = "[[shelf]]\nid = \"1-1\"\nfacings = [{ sku = \"a\", plates = 9 }]\n";
    let found =
        complaints(&[("shop.toml", SHOP), ("catalogue.toml", "[[product]\nsku = 1\n"), ("planogram.toml", planogram)]);
    assert!(found[0].starts_with("catalogue.toml:1: syntax: "), "{found:#?}");
    assert_eq!(
        found.last().unwrap(),
        "planogram.toml:3: shelf 1-1, facing 1: plate 1-1-9 is not a plate of this shelf"
    );
    assert!(!found.iter().any(|line| line.contains("not in the catalogue")), "{found:#?}");
    for (json, sentence) in [
        ("{\"product\": [\n{\"sku\" 1}]}", "catalogue.json:2: syntax: `1` stands where `:` should be"),
        ("{\"product\": [\n\n", "catalogue.json:3: syntax: the file ends where a value should be"),
        ("[{\"sku\": \"a\",\n \"sku\": \"b\"}]", "catalogue.json:2: syntax: key `sku` stands twice"),
    ] {
        assert_eq!(complaints(&[("shop.toml", SHOP), ("catalogue.json", json)]), [sentence]);
    }
}

#[test]
fn wrong_folders_and_files_are_explained() {
    let empty = folder(&[("a.png.toml", "\u{0}")]);
    let error = |path: &Path| load_shop(path).unwrap_err().to_string();
    assert!(error(empty.path()).contains("this folder has no shop.toml"));
    assert!(error(&empty.path().join("none")).contains("cannot open"));
    let bytes = |bytes: &[u8]| {
        fs::write(empty.path().join("bytes.toml"), bytes).unwrap();
        error(&empty.path().join("bytes.toml"))
    };
    assert!(bytes(&[0xff, 0xfe, b'n', 0]).contains("UTF-16"));
    assert!(bytes(&[0xfe, 0xff]).contains("UTF-16"));
    assert!(bytes(b"name = \"\xe9\"\n").contains("bytes.toml:1 at byte 8: this is not a text file in UTF-8"));
    assert!(bytes(b"\xef\xbb\xbfname = 1").contains("name is a whole number"));
    assert!(error(&empty.path().join("a.png.toml")).contains("it has a zero byte"));
    let double = folder(&[("shop.toml", SHOP), ("shop.json", "{}")]);
    assert!(error(double.path()).contains("this folder has shop.toml and shop.json"));
}

#[test]
fn every_problem_of_rooms_cameras_and_packages_is_listed_with_its_line() {
    let shop = "[room]\npolygon = [[0, 0], [1, 0]]\nheight = 3\n[[camera]]\nname = \"hers\"\nsize_pixels = [64, 48]\n\
                focal_pixels = [50, 50]\nposition_metres = [0, 0, 2]\nlook_at_metres = [0, 1, 0]\n";
    let catalogue = "[[product]]\nsku = \"x\"\npackage = { shape = \"crate\", size_metres = [0.1, 0.1] }\n\
                     [[product]]\nsku = \"y\"\npackage = { shape = \"box\", size_metres = [0.1, 0, 2], colour = 1 }\n\
                     [[product]]\nsku = \"z\"\npackage = 3\n";
    let cameras = "[[camera]]\nname = \"a b\"\nsize_pixels = [640, 360]\nfocal_pixels = [0.004, 400]\n\
                   position_metres = [0, 0, 2]\nlook_at_metres = [0, 1, 0]\n\
                   [[camera]]\nname = \"c\"\nsize_pixels = [640.5, 360]\nfocal_pixels = 400\ndistortion = [0.1]\n\
                   rotation_vector = [0, 0, 0]\nroll_degrees = 3\nfps = 30\n\
                   [[camera]]\nname = \"d\"\nsize_pixels = [640, 360]\nfocal_pixels = [400, 400]\nrate_hertz = 0\n\
                   position_metres = [0, 1, 2]\nlook_at_metres = [0, 1, 2]\nrotation_vector = [0, 0, 0]\n\
                   [[camera]]\nname = \"d\"\nsize_pixels = [640, 8]\nfocal_pixels = [400, 400]\ncentre_pixels = [700, 4]\n\
                   position_metres = [0, 1, 2]\nlook_at_metres = [0, 1, 1]\n[[camera]]\n";
    let files = [("shop.toml", shop), ("catalogue.toml", catalogue), ("cameras.toml", cameras)];
    let found = complaints(&files);
    let expected = [
        "shop.toml:1: room: height_metres is missing",
        "shop.toml:3: room: unknown key `height`; did you mean `height_metres`?",
        "catalogue.toml:3: catalogue product x, package: shape is `crate`; it must be box, bottle, can or bag",
        "catalogue.toml:3: catalogue product x, package: size_metres must be a list of 3 numbers",
        "catalogue.toml:6: catalogue product y, package: unknown key `colour`; the keys here are shape, size_metres",
        "catalogue.toml:9: catalogue product z, package: this is a whole number; it must be a table",
        "catalogue.toml:9: catalogue product z, package: shape is missing",
        "catalogue.toml:9: catalogue product z, package: size_metres is missing",
        "cameras.toml:1: cameras: the shop file has cameras too; keep them in one file",
        "cameras.toml:7: camera c: size_pixels must be two whole numbers, width and height",
        "cameras.toml:10: camera c: focal_pixels must be a list of 2 numbers",
        "cameras.toml:11: camera c: distortion must be a list of 5 numbers",
        "cameras.toml:7: camera c: position_metres is missing",
        "cameras.toml:7: camera c: roll_degrees belongs to look_at_metres; a rotation_vector says it all",
        "cameras.toml:14: camera c: unknown key `fps`; the keys here are name, size_pixels, rate_hertz, focal_pixels, centre_pixels, distortion, position_metres, rotation_vector, look_at_metres, roll_degrees",
        "cameras.toml:15: camera d: rotation_vector and look_at_metres both stand here; write one",
        "cameras.toml:15: camera d: look_at_metres is where the camera itself is",
        "cameras.toml:30: camera 5: name is missing",
        "cameras.toml:30: camera 5: size_pixels is missing",
        "cameras.toml:30: camera 5: focal_pixels is missing",
        "cameras.toml:30: camera 5: position_metres is missing",
        "cameras.toml:30: camera 5: rotation_vector or look_at_metres is missing",
        "catalogue.toml:4: catalogue product y: the depth of its package is 0; it must be more than 0 and at most 1",
        "catalogue.toml:4: catalogue product y: the height of its package is 2; it must be more than 0 and at most 1",
        "cameras.toml:1: camera a b: the name is `a b`; it is made of letters, digits, - and _",
        "cameras.toml:1: camera a b: the focal length in x is 0.004 pixels; of frames 640 pixels long it is 64 to 12800",
        "cameras.toml:15: camera d: rate_hertz is 0; it must be more than 0 and at most 240",
        "cameras.toml:23: camera d: a camera of this name stands twice",
        "cameras.toml:23: camera d: the height of its frames is 8; it must be 16 to 16384 pixels",
        "cameras.toml:23: camera d: the principal point in x is 700; it lies in the frame, 0 to 640 pixels",
    ];
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

/// The shops that come with aisle, from their folders and by their names.
fn brought_along(name: &str) -> Shop {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration").join(name);
    let (found, built_in) = (load_shop(&folder).unwrap(), load_shop(Path::new(name)).unwrap());
    assert_eq!(found.draft(), built_in.draft());
    built_in
}

#[test]
fn the_shops_that_come_with_aisle_load_by_name() {
    let (micro, convenience) = (brought_along("micro-market"), brought_along("convenience"));
    assert_eq!((micro.shelves().len(), micro.cameras().len()), (5, 2));
    assert_eq!((convenience.shelves().len(), convenience.cameras().len()), (26, 6));
    let error = load_shop(Path::new("mini-market")).unwrap_err().to_string();
    assert!(error.contains("cannot open"), "{error}");
}

/// What is read of a manifest with this decoder, or everything that is wrong with it.
fn decoder(text: &str) -> Result<Decoder, String> {
    let folder = tempfile::tempdir().unwrap();
    let digest = "0".repeat(64);
    let manifest = format!(
        "role = \"held_product\"\nfile = \"own.onnx\"\nsize_bytes = 1\nsha256 = \"{digest}\"\nlicence = \"MIT\"\n\
         [input]\nwidth = 8\nheight = 8\ncolour = \"rgb\"\n[decoder]\n{text}\n"
    );
    fs::write(folder.path().join("own.toml"), manifest).unwrap();
    let manifests = load_manifests(Some(folder.path())).map_err(|error| error.to_string())?;
    Ok(manifests["own"].decoder.clone())
}

#[test]
fn manifests_say_how_long_vectors_are() {
    let held = Decoder::HeldProduct { length: 4, temperature: 0.1 };
    assert_eq!(decoder("kind = \"held_product\"\nlength = 4\ntemperature = 0.1"), Ok(held));
    let embedding = Decoder::Embedding { length: 4 };
    assert_eq!(decoder("kind = \"embedding\"\nlength = 4"), Ok(embedding));
    for (text, problem) in [
        ("kind = \"held_product\"\nlength = 4\ntemperature = 0.0", "temperature is 0"),
        ("kind = \"embedding\"\nlength = 4\nwide = 2", "wide"),
    ] {
        let told = decoder(text).unwrap_err();
        assert!(told.contains(problem), "{problem} is not in {told}");
    }
}

#[test]
fn names_of_networks_that_steer_a_terminal_are_problems() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "role = \"held_product\"\nfile = \"a\\u009b.onnx\"\nsize_bytes = 1\nlicence = \"MIT\\u001b[2J\"\n";
    fs::write(folder.path().join("own\u{7}.toml"), manifest).unwrap();
    let told = load_manifests(Some(folder.path())).unwrap_err().to_string();
    for part in ["its name has control characters", "file has control characters", "licence has control characters"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert!(!told.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{told:?}");
}

#[test]
fn a_shop_that_sells_nothing_is_not_in_order() {
    let shelves = format!("{SHOP}facings = [{{ plates = \"1-4\" }}]\n");
    let goods = format!("{SHOP}[[product]]\nsku = \"a\"\nprice = 1\n");
    for (text, reason) in [
        ("", "no shelves and no products"),
        ("# only words\n\n", "no shelves and no products"),
        ("\u{feff}", "no shelves and no products"),
        ("[policy]\ncurrency = \"EUR\"\n", "no shelves and no products"),
        (&shelves, "no products"),
        ("[[product]]\nsku = \"a\"\n", "no shelves"),
        (&goods, "no product of the shop has its place"),
    ] {
        let folder = folder(&[("shop.toml", text)]);
        let error = load_trade(folder.path()).err().unwrap();
        assert_eq!((error.exit_status(), error.message().contains(reason)), (3, true), "{text}: {error}");
    }
    let folder = folder(&[("shop.json", "{}"), ("catalogue.json", "[]"), ("planogram.toml", "")]);
    assert!(load_trade(folder.path()).err().unwrap().to_string().contains("no shelves and no products"));
}

#[test]
fn what_a_provider_never_takes_is_a_problem_of_the_shop() {
    let said = |policy: &str, price: &str, payment: &str| {
        let text = format!(
            "[policy]\n{policy}\n[[product]]\nsku = \"a\"\nprice = \"{price}\"\n[[gondola]]\nplate_count = 1\n\
             [[gondola.shelf]]\nheight_metres = 1\nfacings = [{{ sku = \"a\", plates = 1 }}]\n{payment}"
        );
        let folder = folder(&[("shop.toml", &text)]);
        match load_trade(folder.path()) {
            Ok(trade) => trade.warnings,
            Err(error) => error
                .message()
                .lines()
                .skip(1)
                .map(|line| line.split_once("shop.toml: ").unwrap().1.to_owned())
                .collect(),
        }
    };
    let stripe = "[payment]\nprovider = \"stripe\"\nsecret_key_env = \"A\"\nwebhook_secret_env = \"B\"\n";
    let none: [&str; 0] = [];
    assert_eq!(said("hold_minor = 5000", "1.50", stripe), none);
    assert_eq!(said("hold_minor = 30", "1.50", ""), none, "the sandbox takes it");
    assert_eq!(
        said("hold_minor = 30", "1.50", stripe),
        [
            "policy: hold_minor is 30, a hold that can never be placed: 0.30 USD is too little: Stripe takes no payment below 0.50 USD"
        ]
    );
    assert_eq!(said("currency = \"KWD\"\nhold_minor = 0", "1.505", stripe).len(), 1);
    assert!(said("hold_minor = 0", "0.20", stripe)[0].starts_with("a visit that comes to too little"));
    // All at once, also what is wrong with the table itself.
    let both = said("hold_minor = 30\ncurrency = \"XXY\"", "1", "[payment]\nprovider = \"strip\"\n");
    assert!(both.len() == 2 && both[1].contains("strip"), "{both:?}");
    let wechat = "[payment]\nprovider = \"wechat\"\nmerchant_id = \"1\"\napp_id = \"1\"\nservice_id = \"1\"\nmerchant_serial = \"1\"\n\
                  merchant_key_env = \"A\"\napi_v3_key_env = \"B\"\nnotify_url = \"https://shop.example/\"\n";
    assert_eq!(said("currency = \"CNY\"\nhold_minor = 1", "0.01", wechat), none);
    assert!(said("", "1", wechat)[0].contains("WeChat Pay takes CNY only"));
}

#[test]
fn a_code_that_may_be_two_numbers_is_asked_about() {
    let product = |keys: &str| format!("{SHOP}[[product]]\nsku = \"01234565\"\n{keys}");
    let gtin = |keys: &str| {
        let folder = folder(&[("shop.toml", &product(keys))]);
        load_shop(folder.path()).unwrap().catalogue().products()[0].gtin.map(|gtin| gtin.to_string())
    };
    let asked = complaints(&[("shop.toml", &product(""))]);
    assert!(asked[0].contains("may be a UPC-E or a GTIN-8: write gtin = \"00012345000065\""), "{asked:?}");
    assert_eq!(gtin("gtin = \"012345000065\"").as_deref(), Some("00012345000065"));
    assert_eq!(gtin("gtin = \"00000001234565\"").as_deref(), Some("00000001234565"));
    assert_eq!(gtin("gtin = \"none\""), None);
}

#[test]
fn what_is_wrong_with_devices_is_told_with_its_line() {
    let devices = |text: &str| {
        let shop = format!(
            "{SHOP}facings = [{{ sku = \"1\", plates = \"1-4\" }}]\n[[camera]]\nname = \"left\"\nsize_pixels = [640, 360]\nfocal_pixels = [400, 400]\n\
                            position_metres = [0, 0, 2]\nlook_at_metres = [1, 1, 0]\n"
        );
        let catalogue = "[[product]]\nsku = \"1\"\nname = \"a\"\nprice_minor = 5\nweight_grams = 100\n";
        let folder = folder(&[("shop.toml", &shop), ("catalogue.toml", catalogue), ("devices.toml", text)]);
        let place = format!("{}/", folder.path().display());
        load_trade(folder.path())
            .map(|trade| trade.devices.unwrap())
            .map_err(|error| error.message().replace(&place, ""))
    };
    let text = "[broker]\nurl = \"mqtt://localhost\"\n[[camera]]\nname = \"left\"\nurl = \"rtsp://10.0.0.2/main\"\n\
                [[board]]\nsource = \"gondola/1\"\n[[gate]]\nname = \"door\"\nrole = \"exit\"\n\
                [pictures]\nkey_file = \"pictures.key\"\ndays_max = 14\n";
    let known = devices(text).unwrap();
    let broker = known.broker.unwrap();
    assert_eq!((broker.host.as_str(), broker.port, broker.tls), ("localhost", 1883, false));
    let rule = known.pictures.unwrap();
    assert_eq!((rule.frames_max, rule.cameras_max, rule.disk_bytes), (8, 2, 1 << 30));
    assert_eq!((rule.kept.as_secs(), rule.key.to_string().ends_with("pictures.key")), (14.0 * 86_400.0, true));
    let unsaid = devices(&text.replace("days_max = 14\n", "")).unwrap().pictures.unwrap();
    assert_eq!(unsaid.kept.as_secs(), 30.0 * 86_400.0, "as long as evidence is kept and receipts may be contested");
    assert_eq!(devices(&text[..text.find("[pictures]").unwrap()]).unwrap().pictures, None, "nothing unless it is said");
    assert_eq!((known.cameras.len(), known.boards.len(), known.gates.len()), (1, 1, 1));
    for (from, to, told) in [
        ("mqtt://localhost", "localhost", "devices.toml:1: broker: `url` is mqtt://HOST:PORT"),
        ("mqtt://localhost", "mqtt://me:pass@localhost", "devices.toml:1: broker: `url` has no user in it"),
        ("name = \"left\"", "name = \"right\"", "devices.toml:4: camera right: the shop's files know no camera"),
        ("rtsp://10", "rtsp://me:secret@10", "devices.toml:4: camera left: `url` has a password in it"),
        ("source = \"gondola/1\"", "sauce = \"gondola/1\"", "devices.toml:7: syntax: unknown field `sauce`"),
        ("\"exit\"", "\"egress\"", "devices.toml:9: gate door: `role`: `egress` is not a role of a gate"),
        ("days_max = 14", "days_max = 31", "devices.toml:11: pictures: `days_max` is more than 0 and at most 30 days"),
        ("days_max = 14", "faces = \"all\"", "devices.toml:11: pictures: `faces`: `all` is not a rule for faces"),
        ("days_max = 14", "frames_max = 0", "devices.toml:11: pictures: `frames_max` is 1 to 20, not 0"),
        ("days_max = 14", "before_secs = 60", "devices.toml:11: pictures: `before_secs` is 0 to 5 seconds, not 60"),
        ("days_max = 14", "disk_mib = 2000000", "devices.toml:11: pictures: `disk_mib` is 1 to 1048576"),
        ("days_max = 14", "key = \"5a5a\"", "devices.toml:13: syntax: unknown field `key`"),
        ("key_file = \"pictures.key\"", "", "devices.toml:11: pictures: `key_file` or `key_env` is missing"),
    ] {
        let error = devices(&text.replace(from, to)).unwrap_err();
        assert!(error.contains(told) && !error.contains("secret") && !error.contains("pass@"), "{error}");
    }
}
