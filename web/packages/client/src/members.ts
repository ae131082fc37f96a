/**
 * Who is in a channel: a list that is read, and the news of who comes and goes, in step with each other.
 *
 * The list takes a while to arrive, and the news that come meanwhile are about a later time than the list may be. So
 * they are kept and carried out on top of it; a news that the list knows already changes nothing.
 */

import type { Member } from "./types.js";

export class Roster {
  #members = new Map<string, Member>();
  #news: { readonly member: Member; readonly isHere: boolean }[] | null = null;
  #list: readonly Member[] = [];

  /** The same array until somebody comes or goes. */
  get list(): readonly Member[] {
    return this.#list;
  }

  /** A list was asked for. */
  begin(): void {
    this.#news = [];
  }

  /** The list came; `null` if it could not be read, and what is known must do. */
  load(members: readonly Member[] | null): void {
    if (members !== null) this.#members = new Map(members.map((member) => [member.client, member]));
    const news = this.#news ?? [];
    this.#news = null;
    for (const { member, isHere } of news) this.#carryOut(member, isHere);
    this.#list = [...this.#members.values()];
  }

  /** Returns whether the list changed. */
  note(member: Member, isHere: boolean): boolean {
    if (this.#news !== null) {
      this.#news.push({ member, isHere });
      return false;
    }
    if (!isHere && !this.#members.has(member.client)) return false;
    this.#carryOut(member, isHere);
    this.#list = [...this.#members.values()];
    return true;
  }

  #carryOut(member: Member, isHere: boolean): void {
    if (isHere) this.#members.set(member.client, member);
    else this.#members.delete(member.client);
  }
}
