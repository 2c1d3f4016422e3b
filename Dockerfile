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
RUN npm prune --omit=dev

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
