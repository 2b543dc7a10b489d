// One slice pane.  IMAGE, LABELS, OVERLAY: which layers there are.
//
// A layer is a torus of samples: u_*_map.xy is the sample at the pane's
// corner, .zw samples per pixel; u_*_range the samples that exist (lo, hi).

in vec2 v_px;
out vec4 o_colour;

uniform vec4 u_background;

#ifdef IMAGE
uniform sampler2D u_image;
uniform vec4 u_image_map;
uniform vec4 u_image_range;
uniform vec2 u_image_size;
uniform vec3 u_window; // grey lo, 1 / (hi - lo) (negative: inverted), gamma
#endif

#ifdef LABELS
uniform usampler2D u_labels; // dense indices
uniform usampler2D u_table;  // segment number; colour and CXGL_ENTRY bits
uniform vec4 u_labels_map;
uniform vec4 u_labels_range;
uniform ivec2 u_labels_size;
uniform vec4 u_fill; // opacity: others, selected, added by hover; sides
uniform vec2 u_line; // opacity of borders: others, selected
uniform uint u_hide; // entries with (bits & 2) or without this bit vanish

const uint SELECTED = 1u;
const uint HIDDEN = 2u;
const uint HOVER = 4u;
const uint SIDE = 8u;

bool in_range(vec2 at)
{
    return all(greaterThanEqual(at, u_labels_range.xy)) &&
           all(lessThan(at, u_labels_range.zw));
}

// The entry under a sample; zero where nothing is drawn.
uvec2 entry_at(vec2 at)
{
    ivec2 texel = ivec2(floor(at));
    texel -= u_labels_size * ivec2(greaterThanEqual(texel, u_labels_size));
    uint index = texelFetch(u_labels, texel, 0).r;
    uvec2 entry = texelFetch(u_table, ivec2(int(index & 1023u), int(index >> 10)), 0).rg;
    uint bits = entry.y >> 24;
    bool is_drawn = (bits & HIDDEN) == 0u && (u_hide == 0u || (bits & u_hide) != 0u);
    return is_drawn ? entry : uvec2(0u);
}

vec3 blend_labels(vec3 base)
{
    vec2 at = u_labels_map.xy + u_labels_map.zw * v_px;
    if (!in_range(at))
        return base;
    vec2 last = u_labels_range.zw - 0.5;
    uvec2 here = entry_at(at);
    uvec2 right = entry_at(vec2(min(at.x + u_labels_map.z, last.x), at.y));
    uvec2 below = entry_at(vec2(at.x, min(at.y + u_labels_map.w, last.y)));
    uint bits = here.y >> 24;

    if (here.x != 0u) {
        float opacity = (bits & SELECTED) != 0u ? u_fill.y : u_fill.x;
        opacity += (bits & HOVER) != 0u ? u_fill.z : 0.0;
        opacity = (bits & SIDE) != 0u ? max(opacity, u_fill.w) : opacity;
        // The tint keeps the texture of the image: dark stays darker.
        vec3 tint = cx_unpack_rgb(here.y);
        float grey = dot(base, vec3(0.3, 0.59, 0.11));
        base = mix(base, tint * (0.45 + 0.55 * grey + 0.25 * opacity), min(opacity, 1.0));
    }
    if (here.x != right.x || here.x != below.x) {
        uvec2 other = here.x != right.x ? right : below;
        uint either = bits | (other.y >> 24);
        uvec2 owner = here.x != 0u && ((other.y >> 24) & SELECTED) == 0u ? here : other;
        owner = other.x == 0u ? here : owner;
        bool is_selected = (either & (SELECTED | SIDE)) != 0u;
        vec3 colour = cx_unpack_rgb(owner.y);
        colour = is_selected ? mix(colour, vec3(1.0), 0.72) : colour;
        base = mix(base, colour, is_selected ? u_line.y : u_line.x);
    }
    return base;
}
#endif

#ifdef OVERLAY
uniform sampler2D u_overlay;
uniform vec4 u_overlay_map;
uniform vec4 u_overlay_range;
uniform vec2 u_overlay_size;
uniform vec4 u_overlay_colour; // alpha: opacity
#endif

#if defined(IMAGE) || defined(OVERLAY)
// 0 … 1, or -1 outside.  The clamp keeps interpolation inside the volume.
float grey_at(sampler2D layer, vec4 map, vec4 range, vec2 size)
{
    vec2 at = map.xy + map.zw * v_px;
    bool inside = all(greaterThanEqual(at, range.xy)) && all(lessThan(at, range.zw));
    float grey = texture(layer, clamp(at, range.xy + 0.5, range.zw - 0.5) / size).r;
    return inside ? grey : -1.0;
}
#endif

void main()
{
    vec3 colour = u_background.rgb;
#ifdef IMAGE
    float grey = grey_at(u_image, u_image_map, u_image_range, u_image_size);
    if (grey >= 0.0) {
        grey = clamp((grey - u_window.x) * u_window.y, 0.0, 1.0);
#ifdef GAMMA
        grey = pow(grey, u_window.z);
#endif
        colour = vec3(grey);
    }
#endif
#ifdef OVERLAY
    float amount = grey_at(u_overlay, u_overlay_map, u_overlay_range, u_overlay_size);
    colour = mix(colour, u_overlay_colour.rgb, max(amount, 0.0) * u_overlay_colour.a);
#endif
#ifdef LABELS
    colour = blend_labels(colour);
#endif
    o_colour = vec4(colour, 1.0);
}
