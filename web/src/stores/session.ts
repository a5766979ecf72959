import { defineStore } from 'pinia';
import { ref, shallowRef } from 'vue';
import { ApiError, api, type Person } from '../api.ts';

/** Who is signed in. `unknown` until the service was asked once; `unreachable` when it could not be asked. */
export const useSessionStore = defineStore('session', () => {
  const state = ref<'unknown' | 'in' | 'out' | 'unreachable'>('unknown');
  const person = shallowRef<Person | null>(null);

  function entered(who: Person): void {
    person.value = who;
    state.value = 'in';
  }

  function left(): void {
    person.value = null;
    state.value = 'out';
  }

  /** Asks the service whose session this browser holds. */
  async function check(): Promise<void> {
    try {
      entered((await api.session()).person);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) left();
      else state.value = 'unreachable';
    }
  }

  /** @throws ApiError with the words to show. */
  async function signIn(login: string, password: string): Promise<Person> {
    const { person: who } = await api.signIn(login, password);
    entered(who);
    return who;
  }

  /** Ends the session. A failure is thrown: the cookie is still good, so the person must know. */
  async function signOut(): Promise<void> {
    try {
      await api.signOut();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
    }
    left();
  }

  return { state, person, check, signIn, signOut, left };
});
