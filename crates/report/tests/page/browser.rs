//! The page in a real browser, where there is one: Chromium, as narrow as a phone.

use std::sync::{Arc, Mutex};

use headless_chrome::browser::default_executable;
use headless_chrome::protocol::cdp::Emulation::{
    MediaFeature, SetDeviceMetricsOverride, SetEmulatedMedia,
};
use headless_chrome::protocol::cdp::Network;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;

use crate::{figures, with_knobs};

/// As wide as a phone, in CSS pixels.
const WIDTH: u32 = 390;

/// What a JavaScript expression gives in the page.
fn value(tab: &Tab, expression: &str) -> Value {
    let json = format!("JSON.stringify({expression})");
    let result = tab.evaluate(&json, false).expect("an expression");
    let text = result.value.expect("a value");
    serde_json::from_str(text.as_str().expect("JSON")).expect("JSON")
}

/// What went wrong in the page, and whom it asked for anything; filled while the page is open.
fn watch(tab: &Tab) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let listener = move |event: &Event| {
        let note = match event {
            Event::LogEntryAdded(entry) => entry.params.entry.text.clone(),
            Event::RuntimeConsoleAPICalled(_) => "the console was written to".to_owned(),
            Event::RuntimeExceptionThrown(_) => "an exception".to_owned(),
            Event::NetworkRequestWillBeSent(sent) => sent.params.request.url.clone(),
            _ => return,
        };
        noted.lock().expect("the notes").push(note);
    };
    tab.add_event_listener(Arc::new(listener))
        .expect("a listener");
    tab.enable_log().expect("its log");
    tab.enable_runtime().expect("its console");
    tab.call_method(Network::Enable {
        max_total_buffer_size: None,
        max_resource_buffer_size: None,
        max_post_data_size: None,
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    })
    .expect("its requests");
    seen
}

/// The links that the tab key reaches, in their order.
fn reached_by_tab(tab: &Tab) -> Vec<String> {
    let mut reached = Vec::new();
    for _ in 0..24 {
        tab.press_key("Tab").expect("a key");
        if let Value::String(href) = value(tab, "document.activeElement.getAttribute('href')") {
            reached.push(href);
        }
    }
    reached
}

/// The least contrast of the matrix's words with what is behind them, by WCAG 2's formula.
const CONTRAST: &str =
    "Math.min(...[...document.querySelectorAll('.matrix a, .legend dt')].map(e => {
    const light = c => { const [r, g, b] = c.match(/[0-9.]+/g).map(v => v / 255).map(
        v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05; };
    const s = getComputedStyle(e), [a, b] = [light(s.color), light(s.backgroundColor)];
    return Math.max(a, b) / Math.min(a, b); }))";

fn scheme(tab: &Tab, value: &str) {
    let feature = MediaFeature {
        name: "prefers-color-scheme".to_owned(),
        value: value.to_owned(),
    };
    tab.call_method(SetEmulatedMedia {
        media: None,
        features: Some(vec![feature]),
    })
    .expect("a colour scheme");
}

/// Makes the page as narrow as no window can be.
fn narrow(tab: &Tab) {
    tab.call_method(SetDeviceMetricsOverride {
        width: WIDTH,
        height: 844,
        device_scale_factor: 1.0,
        mobile: false,
        scale: None,
        screen_width: None,
        screen_height: None,
        position_x: None,
        position_y: None,
        dont_set_visible_size: None,
        screen_orientation: None,
        viewport: None,
        display_feature: None,
        device_posture: None,
    })
    .expect("a narrow page");
}

#[test]
fn a_browser_shows_the_stories_by_keyboard_alone_and_asks_nobody() {
    let Ok(path) = default_executable() else {
        eprintln!(
            "no Chromium: a_browser_shows_the_stories_by_keyboard_alone_and_asks_nobody is skipped"
        );
        return;
    };
    let (comparison, tradeoffs) = with_knobs();
    let file = tempfile::Builder::new()
        .suffix(".html")
        .tempfile()
        .expect("a file");
    std::fs::write(file.path(), afterdrop_report::html(&comparison, &tradeoffs)).expect("a page");
    let url = format!("file://{}", file.path().display());
    let options = LaunchOptions {
        path: Some(path),
        sandbox: false, // which root may not have; the page is our own
        ..LaunchOptions::default()
    };
    let browser = Browser::new(options).expect("a browser");
    let tab = browser.new_tab().expect("a tab");
    narrow(&tab);
    let seen = watch(&tab);
    tab.navigate_to(&url)
        .expect("the page")
        .wait_until_navigated()
        .expect("the page");

    let links = reached_by_tab(&tab);
    for index in 0..comparison.cells.len() {
        assert!(links.contains(&format!("#c{index}")), "{links:?}");
    }
    let wide = value(&tab, "document.documentElement.scrollWidth");
    assert!(wide.as_u64() <= Some(WIDTH.into()), "{wide} pixels wide");
    for name in ["light", "dark"] {
        scheme(&tab, name);
        let contrast = value(&tab, CONTRAST).as_f64().expect("a ratio");
        assert!(contrast >= 4.5, "{name}: {contrast}");
    }

    value(
        &tab,
        "document.querySelector('.matrix a[href=\"#c1\"]').focus()||0",
    );
    tab.press_key("Enter").expect("a key");
    let visible =
        "[...document.querySelectorAll('article')].filter(a => a.offsetHeight).map(a => a.id)";
    assert_eq!(value(&tab, visible), serde_json::json!(["c1"]));
    let header =
        "[...document.querySelectorAll('#c1 .ledger thead th')].map(e => e.innerText.trim())";
    let header: Vec<String> = serde_json::from_value(value(&tab, header)).expect("names");
    let rows =
        "[...document.querySelectorAll('#c1 .ledger tbody tr')].map(r => [...r.querySelectorAll(
        'td:not(.bar)')].map(e => Number(e.innerText.replaceAll(',', ''))))";
    let rows: Vec<Vec<i64>> = serde_json::from_value(value(&tab, rows)).expect("figures");
    figures::check(&comparison.cells[1], &header, &rows);

    let seen = seen.lock().expect("the notes").clone();
    let allowed = |note: &&String| **note != url && *note != "data:,";
    assert_eq!(
        seen.iter().filter(allowed).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    assert!(
        seen.contains(&url),
        "the page itself was asked for, so that others would be seen"
    );
}
