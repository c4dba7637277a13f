import { getRouteApi } from '@tanstack/react-router';
import { ServicesPage } from '@/features/services/page';
import { ServicePage } from '@/features/services/service';

const route = getRouteApi('/services');

export function ServicesRoute() {
  const search = route.useSearch();
  const { name } = search;
  return name === undefined ? (
    <ServicesPage search={search} />
  ) : (
    <ServicePage key={name} service={name} search={search} />
  );
}
