//! Boxes the form fields of a PDF, page by page, with the name of each, from the file's own annotations.

use agent_abi::prelude::*;
use hayro_syntax::Pdf;
use hayro_syntax::object::{Array, Dict, Name, Rect, String as PdfText};

/// Draws a box for every field.
#[stage("fields", routes = ["done", "no fields"], idempotent)]
pub fn fields(labels: &mut LabelRow, file: AssetPath) -> Result<Route> {
    let Ok(pdf) = Pdf::new(file.read()?) else {
        return Err(Error::new("not a PDF that can be read").permanent());
    };
    let ontology = labels.ontology();
    let kind = ontology.object("Field")?;
    for (number, page) in pdf.pages().iter().enumerate() {
        let annotations: Option<Array<'_>> = page.raw().get("Annots");
        for field in annotations.iter().flat_map(|all| all.iter::<Dict<'_>>()) {
            let is_field = field
                .get::<Name<'_>>("Subtype")
                .is_some_and(|kind| &*kind == b"Widget");
            let Some(area) = field.get::<Rect>("Rect").filter(|_| is_field) else {
                continue;
            };
            let name: Option<PdfText<'_>> = field.get("T");
            let name = name.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
            let area = kind
                .boxed(on_page(area, page.media_box())?)?
                .on_frame(number as u64);
            labels.add(
                area.manual(false)
                    .answer("Name", name.unwrap_or_default())?,
            )?;
        }
    }
    Ok(Route::to(if labels.changed() {
        "done"
    } else {
        "no fields"
    }))
}

/// A rectangle in points from the page's lower left corner, as shares from its upper left one.
fn on_page(area: Rect, page: Rect) -> Result<BoundingBox> {
    let (left, right) = (area.x0.min(area.x1), area.x0.max(area.x1));
    let (bottom, top) = (area.y0.min(area.y1), area.y0.max(area.y1));
    Ok(BoundingBox::clamped(
        (left - page.x0) / page.width(),
        (page.y1 - top) / page.height(),
        (right - left) / page.width(),
        (top - bottom) / page.height(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{Run, ontology, task};

    fn run(file: &[u8]) -> Run {
        let kinds = ontology()
            .object("Field", "bounding_box")
            .attribute("Name", "text", &[]);
        task("form.pdf")
            .pdf(2)
            .file(file)
            .ontology(kinds)
            .run::<fields>()
    }

    #[test]
    fn each_field_is_boxed_on_its_page_with_its_name() {
        let run = run(include_bytes!("../media/form.pdf"));
        assert_eq!(run.route(), Some("done"));
        let labels = run.labels();
        let found = labels.objects().into_iter().map(|field| {
            let page = field.frames()[0];
            let area = field.bounding_box(page).unwrap();
            let shares = [area.x, area.y, area.w, area.h].map(|share| (share * 100.0).round());
            (
                field.answer("Name").unwrap().as_str().unwrap().to_owned(),
                page,
                shares,
            )
        });
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("applicant".to_owned(), 0, [10.0, 10.0, 50.0, 5.0]),
                ("signature".to_owned(), 1, [50.0, 80.0, 40.0, 10.0]),
            ]
        );
    }

    #[test]
    fn what_is_not_a_pdf_is_refused() {
        let run = run(b"hello");
        let failure = run.failure().unwrap();
        assert_eq!(failure.message, "not a PDF that can be read");
    }
}
