(() => {
  const bar = document.querySelector(".filter");
  const cards = [...document.querySelectorAll(".finding")];
  const said = cards.map((card) => card.textContent.toLowerCase());
  const words = bar.querySelector("input");
  const choices = [...bar.querySelectorAll("select")];
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    cards.forEach((card, at) => {
      const fits = wanted.every((word) => said[at].includes(word)) &&
        choices.every((c) => !c.value || card.dataset[c.name].split(" ").includes(c.value));
      card.hidden = !fits;
      shown += fits;
    });
    bar.querySelector("output").value = `${shown} of ${cards.length}`;
  };
  bar.addEventListener("input", apply);
  bar.hidden = false;
  apply();
})();
