//! Drawing laid-out pages as a tagged PDF that is held against PDF/UA-1.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag, TagGroup, TagTree};
use krilla::{Document, SerializeSettings, color::rgb};

use crate::font::{Fonts, Weight};
use crate::layout::{Colour, Element, ElementId, GREY, LEFT, LINE, Mark, PAGE, Pages, RIGHT, Style, WIDTH};
use crate::letterhead::{as_of, title};
use crate::{RenderError, Statement};

const LANGUAGE: &str = "fr-FR";

pub(crate) fn export(pages: Pages, fonts: &Fonts, statement: &Statement) -> Result<Vec<u8>, RenderError> {
    let configuration = ConfigurationBuilder::new()
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|_| RenderError::Settings)?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut leaves: Vec<Vec<Identifier>> = vec![Vec::new(); pages.elements.len()];
    let count = pages.pages.len();
    for (index, marks) in pages.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or(RenderError::Settings)?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            if let Some((ElementId(element), leaf)) = draw(&mut surface, fonts, mark) {
                leaves[element].push(leaf);
            }
        }
        for mark in footer(fonts, statement, index + 1, count) {
            draw(&mut surface, fonts, &mark);
        }
        surface.finish();
        page.finish();
    }
    let mut outline = Outline::new();
    for bookmark in &pages.bookmarks {
        let place = XyzDestination::new(bookmark.page, Point::from_xy(LEFT, bookmark.y));
        outline.push_child(OutlineNode::new(bookmark.text.clone(), place));
    }
    document.set_outline(outline);
    document.set_metadata(
        Metadata::new()
            .title(title(statement))
            .language(LANGUAGE.to_owned())
            .authors(vec!["Constructys".to_owned()])
            .creation_date(instant(statement.as_of)),
    );
    document.set_tag_tree(tree(pages.elements, leaves));
    Ok(document.finish()?)
}

/// The tree of elements, each with its parts in the order of reading.
fn tree(elements: Vec<Element>, leaves: Vec<Vec<Identifier>>) -> TagTree {
    // A parent stands before its children, so from the end each element is whole when it goes to its parent; what
    // waits for a parent came from the last to the first.
    let mut waiting: Vec<Vec<TagGroup>> = elements.iter().map(|_| Vec::new()).collect();
    let mut roots = Vec::new();
    for (index, (element, leaves)) in elements.into_iter().zip(leaves).enumerate().rev() {
        let mut group = TagGroup::new(element.tag);
        leaves.into_iter().for_each(|leaf| group.push(leaf));
        std::mem::take(&mut waiting[index]).into_iter().rev().for_each(|child| group.push(child));
        match element.parent {
            Some(ElementId(parent)) => waiting[parent].push(group),
            None => roots.push(group),
        }
    }
    let mut tree = TagTree::new().with_lang(Some(LANGUAGE.to_owned()));
    roots.into_iter().rev().for_each(|root| tree.push(root));
    tree
}

fn footer(fonts: &Fonts, statement: &Statement, number: usize, count: usize) -> [Mark; 3] {
    let style = Style { weight: Weight::Regular, size: 7.5, colour: GREY };
    let face = fonts.face(style.weight);
    let baseline = PAGE.1 - 34.0;
    let page = format!("page {number}/{count}");
    let left = format!("{} · n° {} · {}", title(statement), statement.member_number, as_of(statement));
    let x = RIGHT - face.width(&page, style.size);
    [
        Mark::Box { area: (LEFT, PAGE.1 - 48.0, WIDTH, 0.5), colour: LINE, element: None },
        Mark::Text { x: LEFT, baseline, text: left, style, element: None },
        Mark::Text { x, baseline, text: page, style, element: None },
    ]
}

/// Draws a mark; what belongs to an element is given with the name that the tree knows it by.
fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) -> Option<(ElementId, Identifier)> {
    let tag = |element: Option<ElementId>, content, furniture| match element {
        Some(_) => content,
        None => ContentTag::Artifact(Artifact::with_kind(furniture)),
    };
    let (element, leaf) = match mark {
        Mark::Text { x, baseline, text, style, element } => {
            let leaf =
                surface.start_tagged(tag(*element, ContentTag::Span(SpanTag::empty()), ArtifactType::PaginationOther));
            surface.set_fill(Some(fill(style.colour)));
            let face = fonts.face(style.weight);
            let at = Point::from_xy(*x, *baseline);
            surface.draw_glyphs(at, &face.glyphs(text), face.embedded.clone(), text, style.size, false);
            (element, leaf)
        }
        Mark::Box { area: (x, y, width, height), colour, element } => {
            let leaf = surface.start_tagged(tag(*element, ContentTag::Other, ArtifactType::Layout));
            surface.set_fill(Some(fill(*colour)));
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
            (element, leaf)
        }
    };
    surface.end_tagged();
    element.map(|element| (element, leaf))
}

fn instant(time: Timestamp) -> DateTime {
    let at = time.to_zoned_datetime(TimeZone::UTC);
    DateTime::new(at.year().unsigned_abs())
        .month(at.month().unsigned_abs())
        .day(at.day().unsigned_abs())
        .hour(at.hour().unsigned_abs())
        .minute(at.minute().unsigned_abs())
        .second(at.second().unsigned_abs())
        .utc_offset_hour(0)
}

fn fill((red, green, blue): Colour) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), ..Fill::default() }
}
