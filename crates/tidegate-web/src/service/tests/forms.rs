//! Envelopes, descriptions and what is wrong with a request.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_without_soap_is_described_with_every_answer_it_has() {
    let rig = Rig::new();
    let told = rig.ask(Request::get("/hl7/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (told.status, told.headers[CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "application/json")
    );
    let description: serde_json::Value = serde_json::from_str(&told.text).unwrap();
    let post = &description["paths"]["/hl7"]["post"];
    let closed = &post["responses"]["503"]["content"]["text/plain"]["schema"]["const"];
    assert_eq!(closed, UNAVAILABLE);
    let message = &post["requestBody"]["content"]["application/hl7-v2"]["schema"];
    assert_eq!(message["maxLength"], MESSAGE_BYTES_MAX);
    assert_eq!(rig.hl7("acme", PASSWORD, "").await.status, StatusCode::BAD_REQUEST);
    let other = Request::post("/hl7").header(CONTENT_TYPE, "text/plain");
    let other = basic(other, "acme", PASSWORD).body("MSH|".into()).unwrap();
    assert_eq!(rig.ask(other).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_envelope_is_told_in_its_own_version() {
    let rig = Rig::new();
    let other = "<x xmlns='urn:cdc:iisb:2011'/>";
    let told = rig.soap(SOAP, envelope(SOAP_12, other)).await;
    fault_is(&told, StatusCode::BAD_REQUEST, "UnsupportedOperationFault", "2", "UnsupportedOperation");
    assert!(told.headers[CONTENT_TYPE].to_str().unwrap().starts_with("application/soap+xml"));
    let told = rig.soap("text/xml", envelope(SOAP_11, other)).await;
    fault_is(
        &told,
        StatusCode::INTERNAL_SERVER_ERROR,
        "UnsupportedOperationFault",
        "2",
        "UnsupportedOperation",
    );
    assert!(told.headers[CONTENT_TYPE].to_str().unwrap().starts_with("text/xml"));
    assert!(told.text.contains("<faultcode>env:Client</faultcode>"), "{}", told.text);
    let must = |namespace: &str| {
        envelope(SOAP_12, other).replace(
            "<s:Header/>",
            &format!("<s:Header><h xmlns='{namespace}' s:mustUnderstand='true'/></s:Header>"),
        )
    };
    assert!(rig.soap(SOAP, must("urn:other")).await.text.contains("env:MustUnderstand"));
    assert!(
        rig.soap(SOAP, must("http://www.w3.org/2005/08/addressing"))
            .await
            .text
            .contains("UnsupportedOperationFault")
    );
    // Only SOAP's own attribute says that.
    let others = must("urn:other")
        .replace("s:mustUnderstand", "o:mustUnderstand")
        .replace("<h ", "<h xmlns:o='urn:o' ");
    assert!(rig.soap(SOAP, others).await.text.contains("UnsupportedOperationFault"));
    // The envelope's version counts, whatever the header of HTTP says.
    assert!(rig.soap("text/xml", envelope(SOAP_12, other)).await.text.contains(SOAP_12));
    let malformed = ["", "<a>", "no XML", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"];
    for text in malformed.map(str::to_owned).into_iter().chain([
        envelope("urn:none", other),
        envelope(SOAP_12, other).replace("s:Envelope", "s:Letter"),
        envelope(SOAP_12, ""),
        envelope(SOAP_12, &(other.to_owned() + other)),
        envelope(SOAP_12, "<connectivityTest xmlns='urn:cdc:iisb:2011'/>"),
        envelope(SOAP_12, "<submitSingleMessage xmlns='urn:cdc:iisb:2011'/>"),
    ]) {
        fault_is_malformed(&rig.soap(SOAP, text).await);
    }
    fault_is_malformed(&rig.soap("text/plain", envelope(SOAP_12, other)).await);
    let told =
        rig.soap("text/xml", envelope(SOAP_11, &submission("acme", PASSWORD, "", &message("1")))).await;
    assert!(returned(&told).contains("MSA|AA|1") && told.text.contains(SOAP_11));
}

fn fault_is_malformed(told: &Told) {
    assert!(told.status.is_client_error() || told.status.is_server_error());
    assert_eq!(fault(told), ("fault".to_owned(), "1".to_owned(), "Malformed".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_names_the_host_that_was_asked_and_nothing_else_can_get_in() {
    let rig = Rig::new();
    let ask = |path: &str, host: &str| Request::get(path).header(HOST, host).body(Body::empty()).unwrap();
    let told = rig.ask(ask("/soap?wsdl", "registry.example:8443")).await;
    assert_eq!(told.status, StatusCode::OK);
    assert!(told.text.contains("<soap:address location=\"https://registry.example:8443/soap\"/>"));
    let root = Element::read(told.text.as_bytes()).unwrap();
    assert_eq!(
        (
            root.name.as_str(),
            root.attributes.iter().find(|one| one.name == "targetNamespace").unwrap().value.as_str()
        ),
        ("definitions", CDC)
    );
    assert_eq!(rig.ask(ask("/soap?WSDL", "a\"/><x")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(rig.ask(ask("/soap", "a")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
