import "./styles/report.css";
import { offerForms } from "./field/forms";
import { showOutbox } from "./report/kept";

const outbox = document.querySelector<HTMLElement>("[data-outbox]");
if (outbox) showOutbox(outbox);
const round = document.querySelector<HTMLElement>("[data-round]");
if (round) offerForms(round);
