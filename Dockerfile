# One image for every process: the start command chooses which one it is.

FROM node:24.21.0-slim AS build
WORKDIR /app
# The packages first: they change less often than the code, so this layer is mostly cached.
COPY package.json package-lock.json ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY libs libs
COPY apps apps
RUN npm run build
# Of ReDoc one bundled file is served, and none of the 90 packages that it was made from; maps and types
# are for editors.
RUN mkdir -p kept/redoc/bundles \
  && cp node_modules/redoc/package.json kept/redoc/ \
  && cp node_modules/redoc/bundles/redoc.standalone.js kept/redoc/bundles/ \
  && npm prune --omit=dev \
  && rm -rf node_modules/typescript \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
  && cp -r kept/redoc node_modules/

FROM node:24.21.0-slim
ENV NODE_ENV=production
# A small nursery: by default it grows with the machine's memory, to no use of ours.
ENV NODE_OPTIONS=--max-semi-space-size=32
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY scripts/healthcheck.mjs scripts/
USER node
# api, worker, beat, simulator; the ports follow the variables of .env.example.
EXPOSE 8000 8001 8002 8090
CMD ["node", "dist/apps/api/src/main.js"]
