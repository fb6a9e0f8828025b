//! The documented limits: one under, one over, counted in characters.

use fabric_model::access_client::{
    AccessClient, AccessClientCreate, AccessClientStatus, AccessClientUpdate, ListAccessClients,
    UpdateAccessClient,
};
use fabric_model::workspace::{ListWorkspaces, ListWorkspacesQuery, WorkspaceCreate};
use fabric_model::{AccessClientId, Nothing, Operation, Payload, Request, SubnetId, charset};
use validator::Validate;

fn create(json: &str) -> Result<(), String> {
    let read = AccessClientCreate::read(json.as_bytes()).map_err(|invalid| invalid.to_string())?;
    Request::<fabric_model::access_client::CreateAccessClient> {
        path: fabric_model::Nothing {},
        query: fabric_model::Nothing {},
        body: read,
    }
    .validate()
    .map_err(|invalid| invalid.to_string())
}

#[test]
fn names_are_counted_in_characters() {
    let update = |name: String| AccessClientUpdate { name: Some(name) }.validate().is_ok();
    assert!(update("é".repeat(64)));
    assert!(!update("é".repeat(65)));
    assert!(!update(String::new()));
    assert!(update("_".to_owned()));
}

#[test]
fn a_target_escapes_all_but_the_unreserved_characters() {
    for character in ('\0'..='\u{7f}').chain(['é', '🦀']) {
        let name = format!("a{character}~{character}");
        let query = ListWorkspacesQuery { name: Some(name), ..Default::default() };
        let request = Request::<ListWorkspaces> { path: Nothing {}, query, body: Nothing {} };
        let escaped = match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~' => character.to_string(),
            _ => character
                .to_string()
                .bytes()
                .fold(String::new(), |text, byte| text + &format!("%{byte:02X}")),
        };
        let expected = format!(
            "/v1/workspaces?offset=0&limit=10&name=a{escaped}~{escaped}\
             &enterprise_project_id=all_granted_eps"
        );
        assert_eq!(request.target(), expected);
    }
}

#[test]
fn messages_name_the_field_and_the_rule_and_never_the_value() {
    let cases = [
        (r#"{"name":"abc"}"#, "name: must have 4 to 32 characters"),
        (r#"{"name":"ca_nary"}"#, "name: must have only letters, digits and hyphens"),
        (r#"{"vpc_id":"ca_nary"}"#, "vpc_id: must have 1 to 64 letters, digits or hyphens"),
        (r#"{"subnet_id":"canary"}"#, "subnet_id: must have exactly 36 letters, digits or hyphens"),
        (r#"{"name":null}"#, "name: expected a string"),
        (r#"{"subnet_ids":"canary, expected x"}"#, "subnet_ids: expected an array"),
        (r#"{"subnet_ids":[["canary"]]}"#, "subnet_ids[0]: expected a string"),
        (r#"{"access_connections":[{},["canary"]]}"#, "access_connections[1]: expected an object"),
        (
            r#"{"access_connections":[{"domain":7}]}"#,
            "access_connections[0].domain: expected a string",
        ),
        (r#"{"name":"abcd","name":"canary"}"#, "body: duplicate field `name`"),
        (r#"["canary"]"#, "body: expected an object"),
        (r#"{"name":"canary""#, "body: is not JSON at line 1 column 16"),
        ("", "body: must not be empty"),
    ];
    for (json, expected) in cases {
        let message = create(json).unwrap_err();
        assert_eq!(message, expected, "{json}");
        assert!(!message.contains("canary"));
    }
    let both = create(r#"{"name":"_","access_connections":[{"domain":"DOMAIN"}]}"#.replace("DOMAIN", &"x".repeat(101)).as_str());
    assert_eq!(
        both.unwrap_err(),
        "access_connections[0].domain: must have at most 100 characters; \
         name: must have 4 to 32 characters; name: must have only letters, digits and hyphens"
    );
}

#[test]
fn ids_that_a_url_would_change_do_not_exist() {
    for id in ["", ".", "..", "a/b", "a%2Fb", "a b", "é", &"x".repeat(65)] {
        assert!(AccessClientId::try_from(id).is_err(), "{id}");
    }
    assert!(AccessClientId::try_from("x".repeat(64)).is_ok());
    assert!(SubnetId::try_from("x".repeat(36)).is_ok());
    assert!(SubnetId::try_from("x".repeat(35)).is_err());
}

#[test]
fn an_answer_is_read_whatever_it_lacks_or_adds() {
    let sparse =
        AccessClient::read(br#"{"status":"REBOOTING","access_connections":null,"new":1}"#).unwrap();
    assert_eq!(sparse.status, Some(AccessClientStatus::Unknown("REBOOTING".to_owned())));
    assert_eq!(
        sparse.write().unwrap(),
        br#"{"status":"REBOOTING","subnet_ids":[],"access_connections":[]}"#
    );
    let list = Request::<ListAccessClients>::read("/v1/access-clients", "", None, b"").unwrap();
    assert_eq!((list.query.offset, list.query.limit), (0, 10));
}

#[test]
fn nulls_of_an_answer_are_as_good_as_absent_and_those_of_a_request_are_not() {
    let body = br#"{"name":"fabric","description":null}"#;
    assert!(WorkspaceCreate::read(body).is_err());
    let read = WorkspaceCreate::read_answer(body).unwrap();
    assert_eq!((read.name.as_str(), read.description), ("fabric", None));
    assert!(WorkspaceCreate::read_answer(br#"{"name":null}"#).is_err());
    assert!(WorkspaceCreate::read_answer(br#"{"name":7,"description":null}"#).is_err());
}

#[test]
fn forms_are_those_of_the_definitions() {
    let cases = [
        (&charset::OBS_PATH, "obs://bucket/a/b", "obs://bucket", "path"),
        (&charset::MOUNT_PATH, "/mnt/cache_1/", "mnt/cache", "path"),
        (&charset::NAMESPACE, "ray-svc-0123abcd", "ray-svc-abcdefgh", "hexadecimal"),
        (&charset::LABEL, "cpu-1.group2", "cpu-", "lower-case"),
        (&charset::ENTERPRISE_PROJECT_KEY, "_sys_enterprise_project_id", "_sys_x", "_sys_"),
        (&charset::RESOURCE_NAME_KEY, "resource_name", "resource_name2", "resource_name"),
        (&charset::TAG, "Größe 大小_1.:=+-@", "a/b", "letters"),
        (&charset::TAG_VALUE, "a/b", "a\tb", "letters"),
        (&charset::PLAIN, "text (of any kind): é / #", "a=b", "characters"),
        (&charset::DOTTED, "client.id_1-a", "a b", "letters"),
        (&charset::ALPHANUMERIC, "v1", "v-1", "letters"),
        (&charset::SEARCH, "客龥", "\u{9FA6}", "Chinese"),
    ];
    for (alphabet, good, bad, words) in cases {
        assert!(alphabet.fits(good) && !alphabet.fits(bad), "{good} {bad}");
        assert!(alphabet.words.contains(words), "{}", alphabet.words);
    }
}

#[test]
fn the_documented_update_is_read() {
    let read = Request::<UpdateAccessClient>::read(
        "/v1/access-clients/3f2c9a5e",
        "",
        Some(b"Application/JSON; charset=UTF-8"),
        br#"{"name":"zzh_test1122"}"#,
    );
    let read = read.unwrap();
    assert_eq!(read.path.client_id.as_str(), "3f2c9a5e");
    assert_eq!(read.body.name.as_deref(), Some("zzh_test1122"));
    assert!(UpdateAccessClient::example().request.validate().is_ok());
}
