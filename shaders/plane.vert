// A slice plane in the scene; corners relative to the focus.

uniform vec3 u_corner;
uniform vec3 u_right;
uniform vec3 u_down;
uniform mat4 u_clip;

out vec2 v_uv;

void main()
{
    vec2 at = cx_corner(gl_VertexID);
    v_uv = vec2(at.x, 1.0 - at.y);
    gl_Position = u_clip * vec4(u_corner + u_right * at.x + u_down * at.y, 1.0);
}
