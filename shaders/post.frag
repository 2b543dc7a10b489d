// Copies a drawn scene to the target.  EDGES: eye-dome lighting, that is,
// pixels are darker the more their neighbours stand in front of them.
// Christian Boucheny, thesis, Grenoble 2009.

in vec2 v_px;
out vec4 o_colour;

uniform sampler2D u_picture;
uniform vec2 u_pane;

#ifdef EDGES
uniform sampler2D u_depth;
uniform vec4 u_unproject; // distance = (x - y d) / (z d - w), d = 2 depth - 1
uniform vec2 u_radius;    // pixels: lines, creases
uniform float u_strength;

float log_distance(vec2 px)
{
    float d = texture(u_depth, px / u_pane).r * 2.0 - 1.0;
    return log2(max((u_unproject.x - u_unproject.y * d) / (u_unproject.z * d - u_unproject.w), 1e-3));
}

float shade(vec2 px, float here, float radius, float limit)
{
    float sum = 0.0;
    for (int i = 0; i < 8; i++) {
        float angle = (float(i) + 0.25) * 0.78539816;
        float there = log_distance(px + radius * vec2(cos(angle), sin(angle)));
        sum += min(max(here - there, 0.0), limit);
    }
    return sum * 0.125;
}
#endif

void main()
{
    vec2 px = vec2(v_px.x, u_pane.y - v_px.y);
    vec3 colour = texture(u_picture, px / u_pane).rgb;
#ifdef EDGES
    float here = log_distance(px);
    bool is_background = texture(u_depth, px / u_pane).r >= 1.0;
    float dark = 55.0 * shade(px, here, u_radius.x, 0.012) + 26.0 * shade(px, here, u_radius.y, 0.03);
    colour *= is_background ? 1.0 : exp(-u_strength * dark);
#endif
    o_colour = vec4(colour, 1.0);
}
