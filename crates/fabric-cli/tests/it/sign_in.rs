//! Users who sign in by the environment, the project that follows, and what `whoami` says.

use fabric_server::{Accounts, Credential, MockServer, Settings};
use serde_json::Value;

use crate::{fabric, run};

const USER: [(&str, &str); 4] = [
    ("OS_USERNAME", "IAMUser"),
    ("OS_PASSWORD", "canary"),
    ("OS_USER_DOMAIN_NAME", "IAMDomain"),
    ("OS_PROJECT_NAME", "cn-north-4"),
];

async fn server() -> MockServer {
    let accounts = Accounts::parse_file(
        r#"{
            "users": [{ "domain": "IAMDomain", "name": "IAMUser", "password": "canary" }],
            "projects": [{ "project_id": "p-north", "name": "cn-north-4", "domain": "IAMDomain" }]
        }"#,
    );
    let credentials = vec![Credential::parse_access_key("AKID:canary").unwrap()];
    let settings = Settings { accounts: accounts.unwrap(), credentials, ..Settings::default() };
    MockServer::start_with(settings).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_by_the_environment() {
    let server = server().await;
    let whoami = fabric(server.endpoint(), &["whoami"], &USER).await;
    assert_eq!(whoami.status, 0, "{whoami:?}");
    let lines: Vec<Vec<&str>> =
        whoami.output.lines().map(|line| line.split("  ").collect()).collect();
    let named = |label: &str| {
        let line =
            lines.iter().find(|line| line[0] == label).unwrap_or_else(|| panic!("{lines:?}"));
        line.last().unwrap().trim()
    };
    assert_eq!(
        ["user", "domain", "project", "project id", "endpoint"].map(named),
        ["IAMUser", "IAMDomain", "cn-north-4", "p-north", server.endpoint()]
    );
    assert!(named("expires at").ends_with('Z'), "{whoami:?}");
    assert!(!whoami.output.contains("canary"), "{whoami:?}");
    let key = [("HUAWEICLOUD_SDK_AK", "AKID"), ("HUAWEICLOUD_SDK_SK", "canary")];
    let whoami = fabric(server.endpoint(), &["whoami", "-o", "json"], &key).await;
    let caller: Value = serde_json::from_str(&whoami.output).unwrap();
    assert_eq!(caller["access_key_id"], "AKID");
    assert!(caller["expires_at"].is_null() && !whoami.output.contains("canary"), "{caller}");
}

/// Variables; the status that is expected, and parts of the complaint.
type Case<'a> = (Vec<(&'a str, &'a str)>, i32, [&'a str; 2]);

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_fails_has_a_reason_a_hint_and_a_status() {
    let server = server().await;
    let [user, _, domain, project] = USER;
    let wrong = ("OS_PASSWORD", "canary-wrong");
    let auth = ("OS_AUTH_URL", "http://127.0.0.1:9/v3");
    let far = ("OS_AUTH_URL", "http://iam.example");
    let other = ("OS_PROJECT_NAME", "cn-south-1");
    let cases: [Case<'_>; 6] = [
        (
            vec![user, wrong, domain, project],
            4,
            ["401: The username or password is wrong.", "the user, the password or the domain"],
        ),
        ([&USER[..3], &[other]].concat(), 4, ["rejected: 404", "has no such project"]),
        (USER[..3].to_vec(), 2, ["a user signs in to a project", "OS_PROJECT_NAME sets"]),
        (USER[..2].to_vec(), 4, ["OS_USER_DOMAIN_NAME is not set", "set FABRIC_AUTH_TOKEN"]),
        ([&USER[..], &[auth]].concat(), 5, ["could not connect", "is the endpoint right"]),
        ([&USER[..], &[far]].concat(), 2, ["use https", "--allow-plain-http"]),
    ];
    for (variables, status, expected) in cases {
        let ended = fabric(server.endpoint(), &["workspaces", "list"], &variables).await;
        assert_eq!(ended.status, status, "{ended:?}");
        for part in expected {
            assert!(ended.complaint.contains(part), "{part}: {}", ended.complaint);
        }
        assert!(!ended.complaint.contains("canary"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_region_names_the_project() {
    let server = server().await;
    let redirect = ("HUAWEICLOUD_SDK_REGION_DATAARTSFABRIC_CN_NORTH_4", server.endpoint());
    let key = [("HUAWEICLOUD_SDK_AK", "AKID"), ("HUAWEICLOUD_SDK_SK", "canary")];
    for credentials in [&USER[..3], &key] {
        let variables = [credentials, &[redirect, ("FABRIC_REGION", "cn-north-4")]].concat();
        let whoami = run("", &["whoami", "-o", "json"], &variables).await;
        let caller: Value =
            serde_json::from_str(&whoami.output).unwrap_or_else(|_| panic!("{whoami:?}"));
        assert_eq!(caller["project_id"], "p-north");
        let tags = run("", &["tags", "list-project"], &variables).await;
        assert_eq!((tags.status, &*tags.output), (0, "no tags\n"), "{tags:?}");
    }
}
