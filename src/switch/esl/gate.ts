/** Says whether this control may speak to the switch; asked right before each connection and each command. */
export interface CommandGate {
  /** A promise: it is not known yet, the command waits for it. */
  mayAct(): boolean | Promise<boolean>;
  mayConnect(): boolean;
}
