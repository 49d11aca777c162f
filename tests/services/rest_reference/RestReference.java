import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.rest.HTTPRequest;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.apache.iceberg.rest.RESTResponse;
import org.apache.iceberg.rest.credentials.ImmutableCredential;
import org.apache.iceberg.rest.responses.ConfigResponse;
import org.apache.iceberg.rest.responses.ErrorResponse;
import org.apache.iceberg.rest.responses.LoadTableResponse;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;

/**
 * Iceberg's own REST catalog server, once for each warehouse that a client asks for, so that tests stay apart: RestReference PORT FOLDER.
 *
 * <p>A warehouse is a folder; its catalog is a SQLite file in it. Without one the warehouse is FOLDER. When FOLDER/vended.properties is there, its
 * keys are given as credentials below its key `prefix` with each table. A file FOLDER/keyed makes the server promise that a change
 * may be sent again under one key.
 */
public class RestReference extends HttpServlet {
  private static final Pattern PREFIXED = Pattern.compile("/v1/(w\\d+)(/.*)");

  private final String folder;
  private final Map<String, String> prefixes = new ConcurrentHashMap<>();
  private final Map<String, RESTCatalogServlet> servlets = new ConcurrentHashMap<>();

  RestReference(String folder) {
    this.folder = folder;
  }

  public static void main(String[] args) throws Exception {
    var context = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
    context.addServlet(new ServletHolder(new RestReference(args[1])), "/*");
    var server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    server.setHandler(context);
    server.start();
    server.join();
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) {
    try {
      Matcher prefixed = PREFIXED.matcher(request.getRequestURI());
      boolean has = prefixed.matches();
      String warehouse = request.getParameter("warehouse");
      String prefix = has ? prefixed.group(1) : prefixOf(warehouse == null ? folder : warehouse);
      String path = has ? "/v1" + prefixed.group(2) : request.getRequestURI();
      servlets.get(prefix).service(
          new HttpServletRequestWrapper(request) {
            @Override
            public String getRequestURI() {
              return path;
            }
          },
          response);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private synchronized String prefixOf(String warehouse) {
    return prefixes.computeIfAbsent(
        warehouse,
        unused -> {
          String prefix = "w" + prefixes.size();
          servlets.put(prefix, new RESTCatalogServlet(new Adapter(warehouse, prefix)));
          return prefix;
        });
  }

  private class Adapter extends RESTCatalogAdapter {
    private final String prefix;

    Adapter(String warehouse, String prefix) {
      super(CatalogUtil.buildIcebergCatalog("reference", properties(warehouse), new Configuration()));
      this.prefix = prefix;
    }

    @Override
    @SuppressWarnings("unchecked")
    protected <T extends RESTResponse> T execute(
        HTTPRequest request,
        Class<T> type,
        Consumer<ErrorResponse> onError,
        Consumer<Map<String, String>> headers) {
      T reply = super.execute(request, type, onError, headers);
      if (reply instanceof ConfigResponse config) {
        var builder = ConfigResponse.builder().withEndpoints(config.endpoints()).withOverrides(config.overrides()).withOverride("prefix", prefix);
        if (new File(folder, "keyed").exists()) {
          builder.withIdempotencyKeyLifetime("PT30M");
        }
        return (T) builder.build();
      }
      if (reply instanceof LoadTableResponse table && new File(folder, "vended.properties").exists()) {
        return (T) withCredentials(table);
      }
      return reply;
    }
  }

  private LoadTableResponse withCredentials(LoadTableResponse table) {
    var properties = new Properties();
    try (InputStream in = new FileInputStream(new File(folder, "vended.properties"))) {
      properties.load(in);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    Map<String, String> config = new HashMap<>();
    properties.forEach((key, value) -> config.put((String) key, (String) value));
    String prefix = config.remove("prefix");
    return LoadTableResponse.builder()
        .withTableMetadata(table.tableMetadata())
        .addAllConfig(table.config())
        .addCredential(ImmutableCredential.builder().prefix(prefix).config(config).build())
        .build();
  }

  private static Map<String, String> properties(String warehouse) {
    String place = warehouse.replaceFirst("^file:(//)?", "");
    new File(place).mkdirs();
    Map<String, String> properties = new HashMap<>();
    properties.put("catalog-impl", "org.apache.iceberg.jdbc.JdbcCatalog");
    properties.put("uri", "jdbc:sqlite:" + place + "/reference.db");
    properties.put("warehouse", "file://" + place);
    properties.put("jdbc.schema-version", "V1");
    properties.put("clients", "1"); // SQLite has one writer
    return properties;
  }
}
