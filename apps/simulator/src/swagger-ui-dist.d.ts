/** The package ships no types; this is the one file of it that is imported. */
declare module 'swagger-ui-dist/absolute-path.js' {
  /** @returns the folder of the package's assets. */
  export default function absolutePath(): string;
}
