/** Style of the report: dark text on white, figures included, for screens and paper. */
export const REPORT_STYLE = `
body {
  margin: 0 auto;
  max-width: 68rem;
  padding: 1rem;
  background: #ffffff;
  color: #1b1f24;
  font: 16px / 1.5 system-ui, "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.6rem; }
h2 { margin-top: 2rem; font-size: 1.25rem; }
h3 { margin: 1.2rem 0 0.5rem; font-size: 1.05rem; }
h4, article h3 { margin: 0 0 0.5rem; font-size: 1rem; }
.said { white-space: pre-wrap; overflow-wrap: anywhere; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; background: #ffffff; }
a { color: #0b5cad; }
:focus-visible { outline: 3px solid #0b5cad; outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { padding: 0.3rem 0; color: #4f5963; text-align: left; }
th, td { border-bottom: 1px solid #c4cad0; padding: 0.3rem 0.8rem 0.3rem 0; text-align: right; }
thead th { border-bottom: 2px solid #4f5963; vertical-align: bottom; }
td { white-space: nowrap; }
th.text, td.text { text-align: left; }
th[scope="row"] { font-weight: 400; white-space: nowrap; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
.samples { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; }
.samples article { border: 1px solid #c4cad0; border-radius: 0.4rem; padding: 0.8rem; }
.samples p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.prompt { color: #4f5963; }
pre { overflow-x: auto; border: 1px solid #c4cad0; border-radius: 0.4rem; padding: 0.8rem; }
`;
