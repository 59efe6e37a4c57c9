declare module 'pgpass' {
  interface Connection {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  }

  /** Passes the password, or undefined if there is none. */
  export default function pgpass(connection: Connection, callback: (password: string | undefined) => void): void;
}
