//! A real browser, where there is one: Chromium, with a page open in it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use headless_chrome::browser::default_executable;
use headless_chrome::protocol::cdp::Emulation::{
    MediaFeature, SetDeviceMetricsOverride, SetEmulatedMedia,
};
use headless_chrome::protocol::cdp::Network;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

/// As wide as a phone, in CSS pixels.
pub(crate) const NARROW: u32 = 390;

/// As wide as a screen.
pub(crate) const WIDE: u32 = 1200;

/// A page in a browser.
pub(crate) struct Reader {
    tab: Arc<Tab>,
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
    /// Goes when its handle does.
    _browser: Browser,
    _file: NamedTempFile,
}

/// Past the test harness, which would swallow what a passing test prints.
pub(crate) fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Opens this page; `None`, which is said, where there is no browser for the test of this name.
pub(crate) fn open(html: &str, test: &str) -> Option<Reader> {
    let Ok(path) = default_executable() else {
        say(&format!("no Chromium: {test} is skipped"));
        return None;
    };
    let file = tempfile::Builder::new().suffix(".html").tempfile();
    let file = file.expect("a file");
    std::fs::write(file.path(), html).expect("a page");
    let options = LaunchOptions {
        path: Some(path),
        sandbox: false, // which root may not have; the page is our own
        ..LaunchOptions::default()
    };
    let browser = Browser::new(options).expect("a browser");
    let tab = browser.new_tab().expect("a tab");
    let reader = Reader {
        seen: watch(&tab),
        url: format!("file://{}", file.path().display()),
        tab,
        _browser: browser,
        _file: file,
    };
    reader.go("");
    Some(reader)
}

impl Reader {
    /// Opens the page at this fragment, anew; prints how long that took, which nothing asserts.
    pub(crate) fn go(&self, fragment: &str) {
        self.tab.navigate_to("about:blank").expect("a page");
        self.tab.wait_until_navigated().expect("a page");
        let url = format!("{}{fragment}", self.url);
        self.tab.navigate_to(&url).expect("the page");
        self.tab.wait_until_navigated().expect("the page");
        let timing = "performance.getEntriesByType('navigation')[0].loadEventEnd";
        println!("opened in {:.0} ms", self.value::<f64>(timing));
    }

    pub(crate) fn key(&self, key: &str) {
        self.tab.press_key(key).expect("a key");
    }

    /// What a JavaScript expression, or the promise that it is, gives in the page.
    #[track_caller]
    pub(crate) fn value<T: DeserializeOwned>(&self, expression: &str) -> T {
        let json = format!("(async () => JSON.stringify(await ({expression})))()");
        let result = self.tab.evaluate(&json, true).expect("an expression");
        let text = result.value.expect("a value");
        serde_json::from_str(text.as_str().expect("JSON")).expect("JSON")
    }

    /// Runs a script in the page, whatever the page's own policy says of scripts.
    pub(crate) fn run(&self, script: &str) {
        self.tab.evaluate(script, false).expect("a script");
    }

    /// The links that the tab key reaches from here, pressed so many times.
    pub(crate) fn reached_by_tab(&self, times: usize) -> Vec<String> {
        self.run(
            "reached = []; addEventListener('focusin', e => reached.push(e.target.hash || ''))",
        );
        for _ in 0..times {
            self.key("Tab");
        }
        self.value("reached")
    }

    /// Presses the tab key so many times, which leads to the link to this fragment, and follows it.
    #[track_caller]
    pub(crate) fn follow(&self, fragment: &str, tabs: usize) {
        for _ in 0..tabs {
            self.key("Tab");
        }
        assert_eq!(
            self.value::<String>("document.activeElement.hash || ''"),
            fragment
        );
        self.key("Enter");
    }

    pub(crate) fn scheme(&self, value: &str) {
        let feature = MediaFeature {
            name: "prefers-color-scheme".to_owned(),
            value: value.to_owned(),
        };
        let emulated = self.tab.call_method(SetEmulatedMedia {
            media: None,
            features: Some(vec![feature]),
        });
        emulated.expect("a colour scheme");
    }

    /// Makes the page as wide as this, which may be narrower than a window can be.
    pub(crate) fn resize(&self, width: u32) {
        let resized = self.tab.call_method(SetDeviceMetricsOverride {
            width,
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
        });
        resized.expect("a page of this width");
    }

    /// Nothing went wrong in the page so far, and it asked nobody for anything but for itself.
    #[track_caller]
    pub(crate) fn asked_nobody(&self) {
        let seen = self.seen.lock().expect("the notes").clone();
        let itself = |note: &String| note.split('#').next() == Some(&self.url);
        let allowed = |note: &String| itself(note) || note == "data:," || note == "about:blank";
        let others: Vec<&String> = seen.iter().filter(|note| !allowed(note)).collect();
        assert_eq!(others, Vec::<&String>::new());
        assert!(
            seen.iter().any(itself),
            "the page itself was asked for, so that others would be seen"
        );
    }
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
    let network = tab.call_method(Network::Enable {
        max_total_buffer_size: None,
        max_resource_buffer_size: None,
        max_post_data_size: None,
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    });
    network.expect("its requests");
    seen
}
