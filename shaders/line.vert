// A line with a width in pixels, or (BALL) a ball of fixed size on the
// screen; one instance each.

layout(location = 0) in vec3 a_from;
layout(location = 1) in vec3 a_to;
layout(location = 2) in float a_size;
layout(location = 3) in vec4 a_colour;

uniform mat4 u_clip;
uniform vec2 u_pane;

out vec2 v_local; // pixels across the line, or from the middle of the ball
flat out float v_half;
flat out vec4 v_colour;

void main()
{
    vec2 corner = cx_corner(gl_VertexID);
    vec4 a = u_clip * vec4(a_from, 1.0);
    vec2 half_pane = u_pane * 0.5;

    v_colour = a_colour;
#ifdef BALL
    v_half = a_size;
    v_local = mix(vec2(-a_size - 1.0), vec2(a_size + 1.0), corner);
    gl_Position = a + vec4(v_local / half_pane * a.w, 0.0, 0.0);
#else
    vec4 b = u_clip * vec4(a_to, 1.0);
    // An end behind the eye moves forward along the line.
    float least = 1e-4 * max(abs(a.w), abs(b.w));
    if (a.w < least && b.w > least)
        a = mix(a, b, (least - a.w) / (b.w - a.w));
    if (b.w < least && a.w > least)
        b = mix(b, a, (least - b.w) / (a.w - b.w));
    vec2 pa = a.xy / a.w * half_pane;
    vec2 pb = b.xy / b.w * half_pane;
    vec2 along = pb - pa;
    along = length(along) > 1e-6 ? normalize(along) : vec2(1.0, 0.0);
    v_half = a_size * 0.5;
    float reach = v_half + 1.0;
    v_local = vec2(0.0, mix(-reach, reach, corner.y));
    vec4 at = corner.x < 0.5 ? a : b;
    gl_Position = at + vec4(vec2(-along.y, along.x) * v_local.y / half_pane * at.w, 0.0, 0.0);
#endif
}
