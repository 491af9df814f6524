import "./styles/report.css";
import { showAround } from "./report/around";
import { offerExit } from "./report/exit";
import { ReportForm } from "./report/form";
import { showOutbox } from "./report/kept";

const outbox = document.querySelector<HTMLElement>("[data-outbox]");
if (outbox) showOutbox(outbox);
const form = document.querySelector<HTMLFormElement>("form[data-report]");
if (form?.querySelector("template[data-next-steps]")) void new ReportForm(form).start();
showAround(document);
offerExit();
