import { queryOptions } from '@tanstack/react-query';
import { type Nanos, nanos } from '@/base/nanos';
import { get, postJson, putJson, remove } from './client';
import type * as wire from './wire';

/** A place in the app that was given a name. */
export interface SavedView {
  id: string;
  name: string;
  /** Path and query of its link. */
  link: string;
  revision: number;
  updated: Nanos;
}

/** The saved views, by name. */
export function viewsQuery() {
  return queryOptions({
    queryKey: ['views'],
    queryFn: async ({ signal }): Promise<SavedView[]> => {
      const answer = await get<wire.SavedViewList>('/api/views', [], signal);
      return answer.views.map(revive);
    },
    staleTime: 30_000,
  });
}

/** Keeps a view. */
export async function createView(name: string, link: string): Promise<SavedView> {
  return revive(await postJson<wire.SavedView>('/api/views', { name, link }));
}

/** Changes a view, unless somebody else has changed it since it was read. */
export async function changeView(
  { id, revision }: SavedView,
  text: { name: string; link: string },
): Promise<SavedView> {
  return revive(await putJson<wire.SavedView>(`/api/views/${id}`, { ...text, revision }));
}

/** Forgets a view, unless somebody else has changed it since it was read. */
export async function deleteView({ id, revision }: SavedView): Promise<void> {
  await remove(`/api/views/${id}?revision=${revision}`);
}

function revive({ updated_time, ...view }: wire.SavedView): SavedView {
  return { ...view, updated: nanos(updated_time) };
}
