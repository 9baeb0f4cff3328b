/* Search from a file: browsers start no workers there, so the worker's script runs in a hidden frame of the page. */
class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    this.onmessage = null;
    this.heard = (event) => {
      if (event.source !== this.frame.contentWindow) return;
      const message = new MessageEvent("message", { data: event.data });
      this.dispatchEvent(message);
      if (this.onmessage) this.onmessage(message);
    };
    addEventListener("message", this.heard);
    this.frame = document.createElement("iframe");
    this.frame.hidden = true;
    document.body.append(this.frame);
    const inside = this.frame.contentWindow;
    this.ready = new Promise((resolve) => { inside.begun = resolve; });
    inside.document.open();
    inside.document.write(`<script>
      postMessage = (data) => parent.postMessage(data, "*");
      importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise((done) => {
        document.body.append(Object.assign(document.createElement("script"), { src: url, onload: done }));
      })), Promise.resolve());
    <\/script><body><script src="${new URL(url, location)}" onload="begun()"><\/script>`);
    inside.document.close();
  }

  postMessage(data) {
    this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
  }

  terminate() {
    removeEventListener("message", this.heard);
    this.frame.remove();
  }
}
if (location.protocol === "file:") window.Worker = FrameWorker;
