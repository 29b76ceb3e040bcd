//! A picture in pixels. Its letters come from a free font in the executable, so that a machine without
//! fonts draws them, and every machine the same; what that font lacks, signs of other scripts, stays empty.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

/// Pixels for each of the SVG's, so that letters are sharp in print.
const SCALE: u32 = 2;

/// The longest side that is drawn: what programs commonly open, and half a gigabyte while it is drawn.
const LONGEST: u32 = 16_384;

/// The most pixels, at four bytes each.
const MOST: u64 = 1 << 27;

/// The SVG of this size in pixels, with its title and origin in the file.
pub(super) fn png(
    svg: &str,
    (width, height): (u32, u32),
    title: &str,
    origin: &str,
) -> Result<Vec<u8>, String> {
    let (wide, high) = (width.saturating_mul(SCALE), height.saturating_mul(SCALE));
    if wide.max(high) > LONGEST || u64::from(wide) * u64::from(high) > MOST {
        return Err(format!(
            "it would be {wide} by {high} pixels, and {LONGEST} are the most; choose less of the result, \
             or write an .svg"
        ));
    }
    let options = Options {
        fontdb: Arc::clone(&FONTS),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).expect("an SVG of our own");
    let mut pixels = Pixmap::new(wide, high).expect("a size that is neither nothing nor too much");
    let scale = Transform::from_scale(SCALE as f32, SCALE as f32);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    Ok(encoded(&pixels, title, origin))
}

/// The one of egui's fonts that is set in running text, and for signs that it lacks the one of code.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    for font in [
        epaint_default_fonts::UBUNTU_LIGHT,
        epaint_default_fonts::HACK_REGULAR,
    ] {
        fonts.load_font_data(font.to_vec());
    }
    let first = fonts.faces().next();
    let family = first.and_then(|face| Some(face.families.first()?.0.clone()));
    fonts.set_sans_serif_family(family.expect("a font with a name"));
    Arc::new(fonts)
});

fn encoded(pixels: &Pixmap, title: &str, origin: &str) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width(), pixels.height());
    // The background is opaque, and so is every pixel: what is premultiplied is as it was.
    encoder.set_color(png::ColorType::Rgba);
    let write = || {
        encoder.add_itxt_chunk("Title".to_owned(), title.to_owned())?;
        encoder.add_itxt_chunk("Description".to_owned(), origin.to_owned())?;
        encoder.write_header()?.write_image_data(pixels.data())
    };
    write().expect("a vector takes all, and the pixels are as many as they should be");
    file
}
