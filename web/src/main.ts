import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/forms.css";
import "./styles/work.css";
import "./styles/desk.css";
import "./styles/drawing.css";
import "./styles/layout.css";
import "./styles/contrast.css";
import "./styles/print.css";
import { enhance } from "./enhance";
import { goOffline } from "./offline/register";
import { sendWhatWaits } from "./offline/waiting";
import { countThisDevice } from "./presence";

enhance(document);
goOffline();
sendWhatWaits();
addEventListener("load", countThisDevice);
