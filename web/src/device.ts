import { offerCounting } from "./device/counting";
import { offerInstalling } from "./device/installing";
import { Notifications } from "./device/notifications";

offerInstalling(document);
offerCounting(document);
const place = document.querySelector<HTMLElement>("[data-push]");
if (place?.dataset["key"]) void new Notifications(place).start();
