// Goes on to the application once the others have been told: when their pages have loaded, or after a few seconds.
"use strict";

const onward = document.querySelector("a[data-onward]");
if (onward) {
  let gone = false;
  const go = () => {
    if (gone) return;
    gone = true;
    location.replace(onward.href);
  };
  // The window has loaded when all its frames have.
  addEventListener("load", go);
  setTimeout(go, 4000);
}
