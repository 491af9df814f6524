import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/layout.css";
import "./styles/print.css";
import { enhance } from "./enhance";

enhance(document);
