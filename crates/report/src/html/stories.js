// Puts the story that the address names into the page, and has the browser go to that address once more: it then
// shows the story, moves the focus there and keeps its history, as if the story had been there all along.
const place = document.getElementById("story");

function unfold() {
  const cell = /^#c(\d+)$/.exec(location.hash);
  const folded = cell && document.querySelector(`script[data-cells~="${cell[1]}"]`);
  place.innerHTML = folded ? folded.text : "";
  if (folded) location.replace(location.hash);
}

addEventListener("hashchange", unfold);
unfold();
