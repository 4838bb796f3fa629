// Sends files one by one, shows how far each has come, and takes files that are dropped. Without it the form works as well.
"use strict";
(() => {
  const form = document.getElementById("send");
  const input = document.getElementById("file");
  const list = document.getElementById("sending");
  const drop = document.getElementById("drop");
  const key = form.elements.key.value;
  const waiting = [];
  let busy = false, received = 0;
  document.querySelectorAll(".with-script").forEach((one) => { one.hidden = false; });
  document.getElementById("submit").hidden = true;
  input.required = false;

  const enqueue = (files) => {
    for (const file of files) {
      const item = document.createElement("li");
      const name = document.createElement("span");
      const bar = document.createElement("progress");
      const state = document.createElement("span");
      name.className = "name";
      name.textContent = file.name;
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute("aria-label", "Sending " + file.name);
      state.className = "tag";
      state.textContent = "waits";
      item.append(name, bar, state);
      list.append(item);
      waiting.push({ file, bar, state });
    }
    next();
  };

  const settle = (one, good, text) => {
    one.bar.remove();
    one.state.className = good ? "tag is-good" : "tag is-bad";
    one.state.textContent = text;
    busy = false;
    next();
  };

  const next = () => {
    if (busy) { return; }
    const one = waiting.shift();
    if (!one) {
      // The list below shows what was received; what was not stays to be read.
      if (received > 0 && !list.querySelector(".is-bad")) { setTimeout(() => location.assign("/"), 1200); }
      return;
    }
    busy = true;
    one.state.textContent = "is sent";
    const body = new FormData();
    body.append("key", key);
    body.append("file", one.file);
    const request = new XMLHttpRequest();
    request.open("POST", "/upload");
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) { one.bar.value = event.loaded / event.total; }
      if (event.loaded === event.total) { one.state.textContent = "is made safe"; }
    });
    request.addEventListener("load", () => {
      let answer = [];
      try { answer = JSON.parse(request.responseText); } catch { /* a page: logged out, or the service is shut */ }
      if (answer.length === 1 && answer[0].job) {
        received += 1;
        settle(one, true, "received");
      } else {
        settle(one, false, "not received: " + ((answer[0] && answer[0].error) || "reload this page and try again"));
      }
    });
    request.addEventListener("error", () => settle(one, false, "not received: the connection was lost; send it again"));
    request.send(body);
  };

  input.addEventListener("change", () => { enqueue([...input.files]); input.value = ""; });
  form.addEventListener("submit", (event) => { event.preventDefault(); enqueue([...input.files]); input.value = ""; });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.remove("is-over"); });
  }
  drop.addEventListener("drop", (event) => enqueue([...event.dataTransfer.files]));
  window.addEventListener("beforeunload", (event) => { if (busy) { event.preventDefault(); } });
})();
