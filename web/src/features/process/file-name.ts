import type { Process } from '@/api/processes';

/** Name of a file for a process, without its ending. */
export function fileNameOf({ service_name, pid, process_id }: Process): string {
  const service = service_name.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 60) || 'process';
  return `${service}-${pid ?? process_id.slice(0, 8)}`;
}
