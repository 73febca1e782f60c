//! YouTube Data.

use super::*;
use crate::harness::new_key;

const YOUTUBE: &str = concat!(
    r#"{"error":{"code":403,"message":"The request cannot be completed because you have exceeded your "#,
    r#"\u003ca href=\"/youtube/v3/getting-started#quota\"\u003equota\u003c/a\u003e.","errors":[{"message":"The "#,
    r#"request cannot be completed because you have exceeded your \u003ca "#,
    r#"href=\"/youtube/v3/getting-started#quota\"\u003equota\u003c/a\u003e.","domain":"youtube.quota","#,
    r#""reason":"quotaExceeded"}]}}"#
);

#[test]
fn youtube_allows_100_searches_100_uploads_and_10000_units_a_day() {
    let api = Api::of("youtube");
    api.answers(|| {
        let project = new_key();
        let ask = |method: &str, path: &str| api.request(method, path).metadata("project", &project);
        let exceeded =
            |request| rejects(request, 403, "content-type: application/json; charset=UTF-8", YOUTUBE);
        let search = ask("GET", "/youtube/v3/search?part=snippet&q=tollgate");
        let upload = ask("POST", "/upload/youtube/v3/videos?part=snippet").header("content-length", "0");
        let update = ask("PUT", "/youtube/v3/playlists?part=snippet").header("content-length", "0");
        let list = ask("GET", "/youtube/v3/videos?id=1");
        let captions = ask("POST", "/upload/youtube/v3/captions?part=snippet").header("content-length", "0");
        vec![
            admits(100, &search, ""),
            exceeded(&search),
            admits(100, &upload, ""),
            exceeded(&upload),
            admits(24, &captions, ""), // 400 each: 9,600 units
            admits(7, &update, ""),    // 50 each: 9,950
            exceeded(&captions),
            admits(50, &list, ""), // 1 each: 10,000
            exceeded(&update),
            exceeded(&list),
        ]
    });
}
