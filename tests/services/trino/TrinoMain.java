import io.trino.server.Server;

/** A Trino server, which its jars alone do not start: TrinoMain VERSION, with -Dconfig=FILE. */
public class TrinoMain {
  public static void main(String[] arguments) {
    new Server().start(arguments[0]);
  }
}
