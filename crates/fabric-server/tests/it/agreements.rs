//! What a project agrees to and lets the service do, and what it can buy, as callers see it.

use fabric_server::{Fixtures, MockServer, Profile, Settings};
use serde_json::{Value, json};

use crate::raw::call;

async fn serve(fixtures: Value, settings: Settings) -> MockServer {
    let fixtures = Fixtures::parse(&fixtures.to_string()).unwrap();
    MockServer::start_with(Settings { fixtures, ..settings }).await.unwrap()
}

/// The policies that the agency has, without the prefix and the suffix of their names.
async fn enabled(server: &MockServer) -> (bool, Vec<String>) {
    let (status, agency) = call(server, "GET", "/v1/agency", Value::Null).await;
    assert_eq!(status, 200);
    let policies = agency["agency_policies"].as_array().unwrap();
    assert_eq!(policies.len(), 4);
    let enabled = policies.iter().filter(|policy| policy["is_enable"] == true).map(|policy| {
        assert!(!policy["actions"].as_array().unwrap().is_empty());
        let name = policy["policy_type"].as_str().unwrap();
        name.trim_start_matches("FABRIC_").trim_end_matches("_POLICY").to_owned()
    });
    (agency["authorized"] == true, enabled.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_gets_and_loses_policies_but_never_the_required_one() {
    let server = serve(json!({}), Settings { quota: Some(1), ..Settings::default() }).await;
    let delete = async |query: &str| {
        call(&server, "DELETE", &format!("/v1/agency{query}"), Value::Null).await.0
    };
    let create = async |types: Value| {
        call(&server, "POST", "/v1/agency", json!({ "policy_types": types })).await
    };
    assert_eq!(enabled(&server).await, (false, vec![]));
    assert_eq!(delete("").await, 404);
    assert_eq!(delete("?policy_type=FABRIC_SMN_POLICY").await, 404);
    assert_eq!(create(json!(["FABRIC_SMN_POLICY"])).await, (200, Value::Null));
    let expected = (true, vec!["COMMON".to_owned(), "SMN".to_owned()]);
    assert_eq!(enabled(&server).await, expected);
    // Again, and with another: policies are added, and a quota of one agency is enough.
    assert_eq!(create(json!(["FABRIC_AOM_POLICY", "FABRIC_AOM_POLICY"])).await.0, 200);
    assert_eq!(enabled(&server).await.1, ["COMMON", "SMN", "AOM"]);
    assert_eq!(create(json!(["FABRIC_OTHER_POLICY"])).await.0, 400);
    assert_eq!(delete("?policy_type=FABRIC_OTHER_POLICY").await, 400);

    assert_eq!(delete("?policy_type=FABRIC_SMN_POLICY").await, 200);
    assert_eq!(delete("?policy_type=FABRIC_SMN_POLICY").await, 200);
    assert_eq!(delete("?policy_type=FABRIC_COMMON_POLICY").await, 200);
    assert_eq!(enabled(&server).await, (true, vec!["COMMON".to_owned(), "AOM".to_owned()]));
    for (part, expected) in [("LAKE", 1), ("_POLICY", 4), ("lake", 0), ("", 4)] {
        let target = format!("/v1/agency?policy_type={part}");
        let (_, agency) = call(&server, "GET", &target, Value::Null).await;
        assert_eq!(agency["agency_policies"].as_array().unwrap().len(), expected, "{part}");
        assert_eq!(agency["authorized"], true, "{part}");
    }
    assert_eq!(delete("").await, 200);
    assert_eq!(enabled(&server).await, (false, vec![]));
    // A later agency has nothing of an earlier one.
    assert_eq!(call(&server, "POST", "/v1/agency", json!({})).await.0, 200);
    assert_eq!(enabled(&server).await.1, ["COMMON"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fixtures_change_the_agency_and_a_careful_service_says_what_is_required() {
    let policies = json!([
        { "policy_type": "FABRIC_SMN_POLICY", "is_enable": true },
        { "policy_type": "FABRIC_NEW_POLICY", "is_required": true, "actions": ["new:thing:do"] },
    ]);
    let agency = json!({ "agency_name": "ours", "agency_policies": policies });
    let settings = Settings { profile: Profile::Strict, ..Settings::default() };
    let server = serve(json!({ "agencies": [agency] }), settings).await;
    let (_, agency) = call(&server, "GET", "/v1/agency", Value::Null).await;
    assert_eq!(agency["agency_name"], "ours");
    // An agency that is there has what is required, but not the new policy, which is required too.
    assert_eq!(agency["agency_policies"][0]["is_enable"], true);
    assert_eq!(agency["authorized"], false);
    assert_eq!(agency["agency_policies"][4]["actions"], json!(["new:thing:do"]));
    assert_eq!(call(&server, "POST", "/v1/agency", json!({})).await.0, 200);
    let (_, agency) = call(&server, "GET", "/v1/agency", Value::Null).await;
    assert_eq!((&agency["agency_name"], &agency["authorized"]), (&json!("ours"), &json!(true)));
    let enabled = |place: usize| agency["agency_policies"][place]["is_enable"] == true;
    assert_eq!([0, 1, 2, 3, 4].map(enabled), [true, true, false, false, true]);

    let required = "/v1/agency?policy_type=FABRIC_COMMON_POLICY";
    let (status, error) = call(&server, "DELETE", required, Value::Null).await;
    assert_eq!(status, 400);
    let rule = "policy_type: must not be a policy that is required (profile strict)";
    assert!(error["error_msg"].as_str().unwrap().contains(rule), "{error}");
    assert_eq!(call(&server, "DELETE", "/v1/agency", Value::Null).await.0, 200);
    let unauthorized = json!({ "agencies": [{ "agency_name": "ours", "authorized": false }] });
    let server = serve(unauthorized, Settings::default()).await;
    let (_, agency) = call(&server, "GET", "/v1/agency", Value::Null).await;
    assert_eq!(agency["authorized"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn agreements_are_signed_once_each_and_revoked_together() {
    let server = serve(json!({}), Settings { quota: Some(2), ..Settings::default() }).await;
    let sign = async |agreements: Value| {
        call(&server, "POST", "/v1/agreement", json!({ "agreements": agreements })).await.0
    };
    let signed = async || {
        let (status, answer) = call(&server, "GET", "/v1/agreement", Value::Null).await;
        assert_eq!(status, 200);
        answer["agreements"].clone()
    };
    let of =
        |name: &str, version: &str| json!({ "agreement_name": name, "agreement_version": version });
    assert_eq!(signed().await, json!([]));
    assert_eq!(call(&server, "DELETE", "/v1/agreement", Value::Null).await, (200, Value::Null));
    let (_, rules) = call(&server, "GET", "/v1/agreement-rule", Value::Null).await;
    let rule = &rules["agreement_rules"][1];
    let (name, version) = (&rule["agreement_name"], &rule["agreement_version"]);
    let (name, version) = (name.as_str().unwrap(), version.as_str().unwrap());
    // A service agreement can be signed as its rule says.
    assert_eq!(sign(json!([of(name, version)])).await, 200);
    assert_eq!(signed().await, json!([of(name, version)]));

    let twice = json!([of("b", "v1"), of("b", "v2"), {}, { "agreement_version": "v1" }]);
    assert_eq!(sign(twice).await, 200);
    assert_eq!(signed().await, json!([of("b", "v2"), of(name, version)]));
    // There are as many as there may be, but those can be signed again.
    assert_eq!(sign(json!([of("b", "v1")])).await, 200);
    assert_eq!(sign(json!([of("a", "v1")])).await, 429);
    assert_eq!(sign(json!([of("b", "v-1")])).await, 400);
    assert_eq!(signed().await, json!([of("b", "v1"), of(name, version)]));
    assert_eq!(call(&server, "DELETE", "/v1/agreement", Value::Null).await.0, 200);
    assert_eq!(signed().await, json!([]));

    let settings = Settings { profile: Profile::Strict, ..Settings::default() };
    let server = serve(json!({ "agreement-rules": [{ "agreement_name": "one" }] }), settings).await;
    let (_, rules) = call(&server, "GET", "/v1/agreement-rule", Value::Null).await;
    assert_eq!(rules["agreement_rules"].as_array().unwrap().len(), 1);
    let body = json!({ "agreements": [of("b", "v1"), {}] });
    let (status, error) = call(&server, "POST", "/v1/agreement", body).await;
    assert_eq!(status, 400);
    let rule = "agreements[1].agreement_name: must be given";
    assert!(error["error_msg"].as_str().unwrap().contains(rule), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn specifications_are_found_by_code_type_and_scenario() {
    let server = serve(json!({}), Settings::default()).await;
    let codes = async |query: &str| {
        let (status, page) = call(&server, "GET", &format!("/v1/specs{query}"), Value::Null).await;
        assert_eq!(status, 200, "{query}: {page}");
        let codes = page["spec_codes"].as_array().unwrap().iter();
        let codes: Vec<_> =
            codes.map(|one| one["spec_code"].as_str().unwrap().to_owned()).collect();
        (codes, page["total"].as_u64().unwrap())
    };
    let (all, total) = codes("").await;
    assert_eq!(all.len() as u64, total);
    assert!(all.is_sorted());
    let (compute, _) = codes("?scenario=COMPUTE").await;
    let (endpoint, _) = codes("?scenario=ENDPOINT").await;
    assert!(!compute.is_empty() && !endpoint.is_empty());
    assert_eq!(compute.len() + endpoint.len(), all.len());
    let (units, _) = codes("?spec_types=APU&spec_types=MU&scenario=ENDPOINT").await;
    assert_eq!(units, ["apu.a1x", "mu.m1x"]);
    assert_eq!(codes("?spec_code=dpu.d1x").await, (vec!["dpu.d1x".to_owned()], 1));
    assert_eq!(codes("?spec_code=dpu").await, (vec![], 0));
    assert_eq!(codes("?offset=1&limit=1").await, (vec![all[1].clone()], total));
    for wrong in ["?spec_types=RESOURCE_USAGE_UNIT", "?scenario=", "?spec_code="] {
        let target = format!("/v1/specs{wrong}");
        assert_eq!(call(&server, "GET", &target, Value::Null).await.0, 400, "{wrong}");
    }
    let specification = json!({ "spec_code": "a", "resource_type": "hws.ray.gpu" });
    let server = serve(json!({ "specifications": [specification] }), Settings::default()).await;
    let (_, page) = call(&server, "GET", "/v1/specs?scenario=COMPUTE", Value::Null).await;
    assert_eq!(page["total"], 1);
    assert_eq!(call(&server, "GET", "/v1/base-models?limit=1", Value::Null).await.1["total"], 3);
}
