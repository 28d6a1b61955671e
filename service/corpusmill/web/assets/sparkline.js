// The rate of the last few minutes as a line; the figure beside it says the same in words.

const KEPT = 120;
const SPACE = "http://www.w3.org/2000/svg";

export function sparkline() {
  const rates = [];
  const element = document.createElementNS(SPACE, "svg");
  const line = document.createElementNS(SPACE, "polyline");
  element.setAttribute("viewBox", `0 0 ${KEPT} 24`);
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("class", "spark");
  element.setAttribute("aria-hidden", "true");
  element.append(line);
  return {
    element,
    add(rate) {
      rates.push(rate);
      if (rates.length > KEPT) rates.shift();
      const most = Math.max(...rates) || 1;
      const first = KEPT - rates.length;
      line.setAttribute("points", rates.map((each, at) => `${first + at},${(23 - (22 * each) / most).toFixed(1)}`).join(" "));
    },
  };
}
