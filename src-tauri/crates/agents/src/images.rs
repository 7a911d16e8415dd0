//! Pictures in a payload: they stay there, and are taken out when somebody looks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::json::{filled, read};

/// Pictures of one payload that are looked for.
const MOST: usize = 64;
const DEPTH: usize = 24;

/// One picture, as far as its own first bytes prove it to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`: what the bytes are, whatever the payload called them.
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The pictures in one raw payload or line, in their order. Content of any other kind is left out: it could be a page
/// or a script.
pub fn images_of(payload: &[u8]) -> Vec<Image> {
    let mut found = Vec::new();
    if let Ok(read) = read(payload) {
        walk(&read.value, DEPTH, &mut found);
    }
    found
}

fn walk(value: &Value, depth: usize, found: &mut Vec<Image>) {
    if depth == 0 || found.len() >= MOST {
        return;
    }
    match value {
        // Codex, and a shell whose output was a picture.
        Value::String(text) if text.starts_with("data:image/") => {
            found.extend(text.split_once(";base64,").and_then(|(_, data)| image(data)));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, depth - 1, found)),
        Value::Object(fields) => {
            let kind = filled(value, &["type"]).unwrap_or_default();
            let data = match (fields.get("source"), fields.get("file")) {
                (Some(source), _) => filled(source, &["data"]),
                (_, Some(file)) => filled(file, &["base64"]),
                // As the Model Context Protocol writes it.
                _ => filled(value, &["data"]),
            };
            match data.filter(|_| kind == "image").and_then(image) {
                Some(image) => {
                    // A transcript line tells a picture twice: to the model, and as the tool's own result.
                    if !found.contains(&image) {
                        found.push(image);
                    }
                }
                None => fields.values().for_each(|field| walk(field, depth - 1, found)),
            }
        }
        _ => {}
    }
}

fn image(base64: &str) -> Option<Image> {
    let bytes = STANDARD.decode(base64.trim()).ok()?;
    let media_type = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => return None,
    };
    Some(Image { media_type, bytes })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pictures_are_found_in_every_form_and_nothing_else_is_one() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\nrest");
        let gif = STANDARD.encode(b"GIF89arest");
        let page = STANDARD.encode(b"<svg onload=alert(1)>");
        let line = json!({"message": {"content": [
            {"type": "tool_result", "content": [{"type": "image", "source": {"type": "base64", "media_type": "text/html", "data": png}}]},
            {"type": "image", "source": {"type": "base64", "media_type": "image/svg+xml", "data": page}},
            {"type": "input_image", "image_url": format!("data:image/gif;base64,{gif}")},
        ]}, "toolUseResult": {"type": "image", "file": {"base64": png, "type": "image/png"}}});
        let types: Vec<_> = images_of(line.to_string().as_bytes()).iter().map(|image| image.media_type).collect();
        assert_eq!(types, ["image/png", "image/gif"]);
        assert_eq!(images_of(b"no json"), []);
    }
}
