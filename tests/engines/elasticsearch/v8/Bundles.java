import java.util.Set;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/** Where a node finds its modules and plugins, as Elasticsearch 8 wants to be asked. */
final class Bundles {

    static Set<PluginBundle> modules(Environment environment) {
        return PluginsLoader.loadModulesBundles(environment.modulesDir());
    }

    static Set<PluginBundle> plugins(Environment environment) {
        return PluginsLoader.loadPluginsBundles(environment.pluginsDir());
    }
}
