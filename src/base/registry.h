#pragma once

/// Define the function by which a part adds itself to its room's registry:
///
///     CALVE_PART(csv) { registry.Add(...); }
///
/// stands in a .cc file of the room, inside the room's namespace, where `Registry` is the room's
/// own type. The build collects these lines into `void RegisterParts(Registry&)`; there is no list
/// to keep and no static initialiser.
#define CALVE_PART(name) void RegisterPart_##name([[maybe_unused]] Registry& registry)
