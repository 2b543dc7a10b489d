// Lit surfaces: head light from the upper left, a fill from the lower right,
// light from above and below, a soft highlight, a rim; fades to the
// background with distance.

in vec3 v_normal;
in float v_distance;
out vec4 o_colour;

uniform vec4 u_colour;
uniform float u_rim;  // strength
uniform vec3 u_cue;   // distance where fading begins, 1 / range, most
uniform vec3 u_top;
uniform vec3 u_bottom;
uniform float u_height; // of the pane

void main()
{
    vec3 n = normalize(v_normal);
    n = gl_FrontFacing ? n : -n;
    float key = max(dot(n, vec3(-0.323, 0.485, 0.813)), 0.0);
    float fill = max(dot(n, vec3(0.778, -0.389, 0.493)), 0.0);
    vec3 ambient = mix(vec3(0.16, 0.145, 0.15), vec3(0.30, 0.325, 0.36), n.y * 0.5 + 0.5);
    float shine = max(dot(n, vec3(-0.170, 0.255, 0.952)), 0.0);
    shine *= shine;
    shine *= shine;
    shine *= shine;
    shine *= shine;
    float edge = 1.0 - max(n.z, 0.0);
    edge *= edge;

    // Products of light are linear; colours are not: square and root.
    vec3 base = u_colour.rgb * u_colour.rgb;
    vec3 lit = base * (ambient + 0.80 * key + 0.13 * fill) + vec3(0.055 * shine);
    lit += (base * 0.6 + 0.25) * edge * edge * u_rim;
    vec3 back = mix(u_bottom, u_top, gl_FragCoord.y / u_height);
    float cue = clamp((v_distance - u_cue.x) * u_cue.y, 0.0, 1.0) * u_cue.z;
    o_colour = vec4(sqrt(mix(lit, back * back, cue)), u_colour.a);
}
