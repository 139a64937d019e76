/** A store that does `before` ahead of each of its calls. */
export function withStepsBefore<Store extends object>(
  store: Store,
  before: (method: string, ...args: unknown[]) => Promise<void>,
): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function'
        ? async (...args: unknown[]) => {
            await before(String(name), ...args);
            return Reflect.apply(member, target, args) as unknown;
          }
        : member;
    },
  });
}
