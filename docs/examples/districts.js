const { env } = process;
const redirectUris = [`${env.APP_ORIGIN}/callback`];

/** One registration per district, each for its own district's users alone: the `clients` of `createGateway`. */
export const clients = [
  {
    district: "sample-creek",
    clientId: env.SAMPLE_CREEK_CLIENT_ID,
    clientSecret: env.SAMPLE_CREEK_CLIENT_SECRET,
    redirectUris,
    allowedTenants: [2284],
  },
  {
    district: "example-valley",
    clientId: env.EXAMPLE_VALLEY_CLIENT_ID,
    clientSecret: env.EXAMPLE_VALLEY_CLIENT_SECRET,
    redirectUris,
    allowedTenants: [3391],
  },
];
