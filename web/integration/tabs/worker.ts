import { serveTabs } from "@vagus/client/worker";

serveTabs();
