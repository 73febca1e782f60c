declare module "virtual:examples" {
  const examples: Record<string, Record<string, string>>;
  export default examples;
}
