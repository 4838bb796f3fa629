//! Jobs: told, chosen, changed, read.

use tidegate_domain::maintenance::REASON_CHARS_MAX;

use super::*;

#[tokio::test]
async fn jobs_are_listed_by_condition_and_shown_with_their_history_and_files() {
    let bench = Bench::new();
    let first = bench.upload("ACME01", "a.hl7", b"MSH|1").await;
    bench.upload("BURL01", "b.hl7", b"MSH|2").await;
    let (_, all) = bench.get("/v1/jobs").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let (_, some) = bench.get("/v1/jobs?org=ACME01&state=queued&since=1h").await;
    assert_eq!(some[0]["id"], first.to_string());
    assert_eq!(some.as_array().unwrap().len(), 1);
    for none in ["since=2024-03-09T01:30:01Z", "until=2024-03-09T01:30:00Z", "state=held,error", "name=*.txt"]
    {
        assert_eq!(bench.get(&format!("/v1/jobs?{none}")).await.1, json!([]), "{none}");
    }
    for both in ["until=2024-03-09T01:30:01Z", "state=held,queued", "name=*.HL7"] {
        assert_eq!(bench.get(&format!("/v1/jobs?{both}")).await.1.as_array().unwrap().len(), 2, "{both}");
    }

    let (_, shown) = bench.get(&format!("/v1/jobs/{first}")).await;
    assert_eq!(shown["name"], "a.hl7");
    assert_eq!(shown["history"][0]["event"], "accepted");
    assert_eq!(shown["history"][0]["actor"], "sender:acme");
    assert_eq!(shown["files"]["response"], Value::Null);
    assert!(Path::new(shown["files"]["payload"].as_str().unwrap()).is_file(), "{shown}");
}

#[tokio::test]
async fn a_response_is_served_as_it_is_however_long() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a.hl7", b"MSH|1").await;
    let (code, early) = bench.get(&format!("/v1/jobs/{id}/response")).await;
    assert_eq!(code, StatusCode::NOT_FOUND);
    assert!(early["error"].as_str().unwrap().contains("queued"), "{early}");

    let response = "MSA|AA\r".repeat(100_000);
    bench.complete(response.as_bytes()).await;
    let (code, served) = bench.get(&format!("/v1/jobs/{id}/response")).await;
    assert_eq!((code, served.as_str()), (StatusCode::OK, Some(response.as_str())));
    let (_, report) = bench.get(&format!("/v1/jobs/{id}/report")).await;
    assert_eq!(report, "All is well.\n");
}

#[tokio::test]
async fn staff_act_on_jobs_by_name_and_by_condition() {
    let bench = Bench::new();
    let ids = [bench.upload("ACME01", "a", b"1").await, bench.upload("ACME01", "b", b"2").await];
    let act = |action: &str, selection: Value, dry_run: bool| {
        json!({"action": action, "selection": selection, "actor": "jo", "reason": "asked to",
               "dry_run": dry_run})
    };
    let queued = json!({"matching": {"org": "ACME01", "state": "queued"}});
    let (_, rehearsed) = bench.post("/v1/jobs/act", &act("hold", queued.clone(), true)).await;
    assert_eq!(rehearsed["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(bench.get("/v1/jobs?state=held").await.1, json!([]), "a rehearsal changes nothing");
    let (code, refused) = bench.post("/v1/jobs/act", &act("hold", queued, false)).await;
    assert_eq!(code, StatusCode::BAD_REQUEST, "who says yes knows to what: {refused}");

    let rehearsed = json!({"jobs": [rehearsed["jobs"][0]["id"], rehearsed["jobs"][1]["id"]]});
    let (_, held) = bench.post("/v1/jobs/act", &act("hold", rehearsed, false)).await;
    assert_eq!(
        held["jobs"][0],
        json!({"id": ids[0].to_string(), "org": "ACME01", "name": "a", "state": "held", "error": null})
    );
    let named = json!({"jobs": [ids[0].to_string()]});
    let (_, again) = bench.post("/v1/jobs/act", &act("requeue", named.clone(), false)).await;
    assert_eq!(again["jobs"][0]["error"], "requeued is not possible while the job is held");
    let (_, cancelled) = bench.post("/v1/jobs/act", &act("cancel", named, false)).await;
    assert_eq!(cancelled["jobs"][0]["state"], "cancelled");

    let (_, shown) = bench.get(&format!("/v1/jobs/{}", ids[0])).await;
    let last = shown["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["actor"], &last["event"], &last["detail"]),
        (&json!("staff:jo"), &json!("cancelled"), &json!("asked to"))
    );
}

#[tokio::test]
async fn pages_follow_each_other_although_jobs_come_and_go_meanwhile() {
    let bench = Bench::new();
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(bench.upload("ACME01", name, name.as_bytes()).await);
    }
    let mut seen = Vec::new();
    let mut page = bench.get("/v1/jobs?limit=2").await.1;
    while let Some(last) = page.as_array().unwrap().last() {
        let last = last["id"].as_str().unwrap().to_owned();
        seen.extend(page.as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        assert!(seen.len() <= ids.len(), "{seen:?}");
        bench.upload("ACME01", "more", last.as_bytes()).await;
        let gone = JobEvent::Cancelled { reason: "asked to".to_owned() };
        bench.store.act(last.parse().unwrap(), gone, "jo").await.unwrap();
        page = bench.get(&format!("/v1/jobs?state=queued&limit=2&after={last}")).await.1;
    }
    let expected: Vec<String> = ids.iter().rev().map(ToString::to_string).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn more_jobs_than_are_changed_at_once_are_refused_with_advice() {
    let bench = Bench::new();
    let upload = async |number: usize| bench.upload("ACME01", "a.hl7", number.to_string().as_bytes()).await;
    // Together, so that they share syncs.
    futures_util::future::join_all((0..=ACT_JOBS_MAX).map(upload)).await;
    let act = |limit: Option<usize>| {
        json!({"action": "hold", "selection": {"matching": {"state": "queued"}}, "actor": "jo",
               "reason": "asked to", "dry_run": true, "limit": limit})
    };
    let (code, refused) = bench.post("/v1/jobs/act", &act(None)).await;
    assert_eq!(code, StatusCode::CONFLICT);
    assert_eq!(refused["error"], "1001 jobs match, and at most 1000 are changed at once");
    assert!(refused["hint"].as_str().unwrap().contains("--limit 1000"), "{refused}");
    let (_, oldest) = bench.post("/v1/jobs/act", &act(Some(2))).await;
    let all = bench.store.list(&tidegate_store::Filter { limit: usize::MAX, ..Default::default() }).unwrap();
    let ids: Vec<String> = all.iter().rev().take(2).map(|job| job.id.to_string()).collect();
    assert_eq!(json!([oldest["jobs"][0]["id"], oldest["jobs"][1]["id"]]), json!(ids), "the oldest first");
    assert_eq!((oldest["jobs"].as_array().unwrap().len(), &oldest["more"]), (2, &json!(true)));
    let named: Vec<String> = all.iter().map(|job| job.id.to_string()).collect();
    let named = json!({"action": "hold", "selection": {"jobs": named}, "actor": "jo", "reason": "asked to"});
    assert_eq!(bench.post("/v1/jobs/act", &named).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_job_that_went_on_after_it_was_chosen_is_left_alone() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a", b"1").await.to_string();
    let act = |action: &str, only_in: &str| {
        json!({"action": action, "selection": {"jobs": [id]}, "actor": "jo", "reason": "asked to",
               "only_in": only_in})
    };
    let (_, done) = bench.post("/v1/jobs/act", &act("cancel", "held,error")).await;
    assert_eq!(done["jobs"][0]["error"], "it has gone on meanwhile and is queued by now");
    let (_, done) = bench.post("/v1/jobs/act", &act("cancel", "held,queued")).await;
    assert_eq!(done["jobs"][0]["state"], "cancelled", "{done}");
}

#[tokio::test]
async fn a_job_in_a_workers_hand_is_left_alone_and_says_so() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a", b"1").await.to_string();
    bench.store.claim(1).await.unwrap();
    for (action, dry_run) in
        ["requeue", "hold", "release", "cancel"].iter().flat_map(|a| [(a, true), (a, false)])
    {
        let body = json!({"action": action, "selection": {"jobs": [id]}, "actor": "jo", "reason": "asked to",
                          "dry_run": dry_run});
        let (_, done) = bench.post("/v1/jobs/act", &body).await;
        let job = &done["jobs"][0];
        let words = "a worker has it in hand: come again when it is done";
        assert_eq!((&job["error"], &job["state"]), (&json!(words), &json!("processing")), "{action}");
    }
}

#[tokio::test]
async fn an_upload_is_handed_out_to_whoever_says_why_and_its_history_keeps_it() {
    let bench = Bench::new();
    let id = bench.upload("ACME01", "a", b"MSH|\r\xff\0").await;
    let path = format!("/v1/jobs/{id}/payload");
    let ask = |reason: &str| json!({"actor": "jo", "reason": reason});
    assert_eq!(bench.post(&path, &ask(" ")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bench.store.history(id).unwrap().len(), 1);
    let request = Request::post(&path).header("content-type", "application/json");
    let request = request.body(Body::from(ask("the clinic asks").to_string())).unwrap();
    let answer = bench.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "7");
    // It is written down before anything is sent.
    let (_, shown) = bench.get(&format!("/v1/jobs/{id}")).await;
    let last = shown["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["actor"], &last["event"], &last["detail"]),
        (&json!("staff:jo"), &json!("payload_read"), &json!("the clinic asks"))
    );
    assert_eq!(&answer.into_body().collect().await.unwrap().to_bytes()[..], b"MSH|\r\xff\0");
    std::fs::remove_file(shown["files"]["payload"].as_str().unwrap()).unwrap();
    let (code, gone) = bench.post(&path, &ask("again")).await;
    assert_eq!(code, StatusCode::NOT_FOUND, "{gone}");
    assert_eq!(bench.store.history(id).unwrap().len(), 2, "what was not read is not in the history");
}

#[tokio::test]
async fn a_change_without_reason_or_actor_is_refused() {
    let bench = Bench::new();
    for reason in [" ", &"x".repeat(REASON_CHARS_MAX + 1)] {
        let body = json!({"action": "hold", "selection": {"jobs": []}, "actor": "jo", "reason": reason});
        let (code, refused) = bench.post("/v1/jobs/act", &body).await;
        assert_eq!(code, StatusCode::BAD_REQUEST);
        assert!(refused["error"].as_str().unwrap().contains("reason"), "{refused}");
    }
    let body = json!({"length": "default", "actor": "", "reason": "x"});
    assert_eq!(bench.post("/v1/maintenance/holds", &body).await.0, StatusCode::BAD_REQUEST);
}
