//! A PNG shows what the SVG says, letters included, on a machine without a font.

use report::{Picture, Plot};

use super::*;

/// The pixels of a PNG, and its width.
fn pixels(file: &[u8]) -> (Vec<[u8; 4]>, usize) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let frame = reader.next_frame(&mut bytes).expect("pixels");
    let (pixels, rest) = bytes[..frame.buffer_size()].as_chunks();
    assert!(rest.is_empty());
    (pixels.to_vec(), frame.width as usize)
}

fn matrix(scenario: &str) -> Picture {
    let mut comparison = measured();
    comparison.cells.truncate(1);
    comparison.cells[0].scenario = scenario.to_owned();
    Picture::of(&Plot::Matrix(&comparison.cells), &comparison).expect("a picture")
}

#[test]
fn a_label_is_seen_where_it_stands_and_changes_nothing_else() {
    let (some, wide) = pixels(&matrix("some-list").png().expect("a PNG"));
    let (other, _) = pixels(&matrix("wild-tree").png().expect("a PNG"));
    assert_eq!(some.len(), other.len());
    let differ = (0..some.len()).filter(|at| some[*at] != other[*at]);
    let places: Vec<(usize, usize)> = differ.map(|at| (at % wide, at / wide)).collect();
    assert!(places.len() > 200, "{} pixels differ", places.len());
    // Two pixels for each of the drawing's: the row's title begins at 8 and ends before the boxes.
    let outside = |(x, y): &&(usize, usize)| !(16..464).contains(x) || !(200..256).contains(y);
    assert_eq!(places.iter().find(outside), None);
}

#[test]
fn every_letter_has_a_shape_of_its_own() {
    let seen = |letter: &str| pixels(&matrix(letter).png().expect("a PNG")).0;
    // What a font lacks is drawn as one and the same empty box.
    let letters = ["a", "b", "é", "%", "×", "…", "ß", "д"];
    for pair in letters.windows(2) {
        assert!(seen(pair[0]) != seen(pair[1]), "{pair:?}");
    }
    assert!(
        seen("日") == seen("本"),
        "of which the font has none: were it so no more, say so in png.rs"
    );
}

#[test]
fn a_png_says_what_made_it() {
    let comparison = measured();
    let file = matrix("int-list").png().expect("a PNG");
    let reader = png::Decoder::new(std::io::Cursor::new(&file[..]))
        .read_info()
        .expect("a PNG");
    let texts: Vec<(String, String)> = reader
        .info()
        .utf8_text
        .iter()
        .map(|chunk| (chunk.keyword.clone(), chunk.get_text().expect("text")))
        .collect();
    assert_eq!(
        texts[0],
        ("Title".to_owned(), "When the memory comes back".to_owned())
    );
    assert_eq!(texts[1].0, "Description");
    assert!(texts[1].1.contains(&comparison.command), "{texts:?}");
}

#[test]
fn what_is_too_large_for_pixels_is_refused_with_the_way_out() {
    let mut comparison = measured();
    let cells = (0..500).map(|n| Cell {
        allocator: format!("a{n}"),
        ..comparison.cells[0].clone()
    });
    comparison.cells = cells.collect();
    let picture = Picture::of(&Plot::Matrix(&comparison.cells), &comparison).expect("a picture");
    let line = picture.png().expect_err("it is too large");
    assert!(
        line.ends_with("choose less of the result, or write an .svg"),
        "{line}"
    );
}
