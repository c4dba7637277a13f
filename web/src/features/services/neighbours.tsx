import { Link } from '@tanstack/react-router';
import type { ServiceMap } from '@/api/services';
import { ServiceName, serviceLabel } from '@/ui/service';
import { Card } from './card';
import { Errors, formatQuantile, formatRate, rateOf } from './figures';
import type { ServiceSearch } from './search';

/** What calls the service, or what it calls. */
export function Neighbours(props: { title: string; map: ServiceMap; at: number; side: 'from' | 'to' }) {
  const { map, at, side } = props;
  const other = side === 'from' ? 'to' : 'from';
  const edges = map.edges.filter((edge) => edge[side] === at).sort((a, b) => b.calls.count - a.calls.count);
  return (
    <Card title={props.title}>
      {edges.length === 0 ? (
        <p className="px-4 pb-3 text-muted">
          {side === 'to'
            ? 'No span of another service is the parent of one of this.'
            : 'It calls nothing that is known.'}
        </p>
      ) : (
        <table className="tabular mb-2 w-full">
          <thead className="text-xs text-faint">
            <tr>
              <th className="px-4 py-1 text-left font-normal">Name</th>
              <th className="px-2 py-1 text-right font-normal">Rate</th>
              <th className="px-2 py-1 text-right font-normal">Errors</th>
              <th className="px-2 py-1 text-right font-normal">Median</th>
              <th className="py-1 pr-4 pl-2 text-right font-normal">95 %</th>
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => {
              const node = map.nodes[edge[other]]!;
              return (
                <tr key={edge[other]} className="hover:bg-hover">
                  <th scope="row" className="max-w-0 truncate px-4 py-1 text-left font-normal">
                    {node.kind === 'service' && node.name !== '' ? (
                      <Link
                        to="/services"
                        search={(previous) =>
                          ({ ...previous, name: node.name, sort: undefined }) as ServiceSearch
                        }
                        className="hover:underline"
                      >
                        <ServiceName service={node.name} />
                      </Link>
                    ) : (
                      <span>
                        {serviceLabel(node.name)} <span className="text-xs text-faint">{node.kind}</span>
                      </span>
                    )}
                  </th>
                  <td className="px-2 py-1 text-right">
                    {formatRate(rateOf(edge.calls.count, map.from, map.to))}
                  </td>
                  <td className="px-2 py-1 text-right">
                    <Errors calls={edge.calls} />
                  </td>
                  <td className="px-2 py-1 text-right">{formatQuantile(edge.calls.p50)}</td>
                  <td className="py-1 pr-4 pl-2 text-right">{formatQuantile(edge.calls.p95)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}
